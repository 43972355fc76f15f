// weftcheck asks Go's own trace packages, for tests that compare them with ours.  It is built inside the standard library
// (see with_go.sh), as those packages are internal.
//
//	weftcheck table             the v2 events: number, name, flags, start event, experiment, arguments
//	weftcheck table1            the v1 events: number, name, first version, stack, arguments
//	weftcheck wire FILE         what `go tool trace -d=wire` prints
//	weftcheck footprint FILE    number, count and shortest bytes of each event that is in the file
//	weftcheck parsed FILE       what `go tool trace -d=parsed` prints, empty lines left out
//	weftcheck damage SEED CASES DIR NAME..   how many events of damaged traces it delivers, and how it ends
//	weftcheck serve             the same for many traces: reads "BYTES\n" and the trace, again and again, and answers
//	                            each with "STATUS BYTES\n" and the text; STATUS is 0, 1 (error) or 2 (panic)
//
// An error ends the output, is printed on standard error, and gives status 1.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"internal/trace"
	"internal/trace/internal/tracev1"
	"internal/trace/raw"
	"internal/trace/tracev2"
)

var out = bufio.NewWriter(os.Stdout)

func die(err any) {
	out.Flush()
	fmt.Fprintf(os.Stderr, "%v\n", err)
	os.Exit(1)
}

func has(ids []int, i int) bool {
	for _, id := range ids {
		if id == i {
			return true
		}
	}
	return false
}

func table() {
	specs := tracev2.Specs()
	for i, s := range specs {
		if s.Name == "" {
			continue
		}
		start := "-"
		if s.StartEv != 0 {
			start = specs[s.StartEv].Name
		}
		main := "-"
		if len(s.StackIDs) > 0 {
			main = s.Args[s.StackIDs[0]]
		}
		fmt.Fprintf(out, "%d\t%s\t%v\t%v\t%v\t%s\t%d\t%s\t", i, s.Name, s.IsTimedEvent, s.HasData, s.IsStack, start, s.Experiment, main)
		for k, a := range s.Args {
			kind := "-"
			if has(s.StringIDs, k) {
				kind = "string"
			} else if has(s.StackIDs, k) {
				kind = "stack"
			}
			if k > 0 {
				out.WriteByte(' ')
			}
			fmt.Fprintf(out, "%s:%s", a, kind)
		}
		out.WriteByte('\n')
	}
}

func table1() {
	for i, d := range tracev1.EventDescriptions {
		if d.Name == "" || d.Name == "None" {
			continue
		}
		fmt.Fprintf(out, "%d\t%s\t%v\t%d\n", i, d.Name, d.Stack, len(d.Args))
	}
}

func open(path string) io.Reader {
	f, err := os.Open(path)
	if err != nil {
		die(err)
	}
	return f
}

func wire(path string, each func(raw.Event)) {
	r, err := raw.NewReader(open(path))
	if err != nil {
		die(err)
	}
	for {
		e, err := r.ReadEvent()
		if err == io.EOF {
			return
		}
		if err != nil {
			die(err)
		}
		each(e)
	}
}

func footprint(path string) {
	var count, bytes [256]int
	wire(path, func(e raw.Event) {
		count[e.Ev]++
		bytes[e.Ev] += e.EncodedSize()
	})
	for i := range count {
		if count[i] > 0 {
			fmt.Fprintf(out, "%d %d %d\n", i, count[i], bytes[i])
		}
	}
}

// parse writes the events of a trace; the status is 0, 1 with an error, or 2 with what was thrown.
func parse(in io.Reader, w io.Writer) (status int, why any) {
	defer func() {
		if p := recover(); p != nil {
			status, why = 2, p
		}
	}()
	r, err := trace.NewReader(in)
	if err != nil {
		return 1, err
	}
	for {
		e, err := r.ReadEvent()
		if err == io.EOF {
			return 0, nil
		}
		if err != nil {
			return 1, err
		}
		for _, line := range strings.Split(e.String(), "\n") {
			if line = strings.TrimRight(line, " "); line != "" {
				fmt.Fprintln(w, line)
			}
		}
	}
}

func serve() {
	in := bufio.NewReader(os.Stdin)
	for {
		var n int
		if _, err := fmt.Fscanf(in, "%d\n", &n); err != nil {
			return
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(in, data); err != nil {
			return
		}
		var text bytes.Buffer
		status, _ := parse(bytes.NewReader(data), &text)
		fmt.Fprintf(out, "%d %d\n", status, text.Len())
		out.Write(text.Bytes())
		out.Flush()
	}
}

func main() {
	defer out.Flush()
	switch args := os.Args[1:]; {
	case len(args) == 1 && args[0] == "table":
		table()
	case len(args) == 1 && args[0] == "table1":
		table1()
	case len(args) == 2 && args[0] == "wire":
		wire(args[1], func(e raw.Event) { fmt.Fprintln(out, e.String()) })
	case len(args) == 2 && args[0] == "footprint":
		footprint(args[1])
	case len(args) == 2 && args[0] == "parsed":
		if status, why := parse(open(args[1]), out); status != 0 {
			die(why)
		}
	case len(args) == 1 && args[0] == "serve":
		serve()
	case len(args) > 4 && args[0] == "damage":
		damage(args[1:])
	default:
		die("usage: weftcheck table | table1 | wire FILE | footprint FILE | parsed FILE | serve | damage SEED CASES DIR NAME..")
	}
}
