// Reader counts the ordered events of a trace with Go's own streaming reader, as the measure for ours.
//
// It needs internal/trace, so bench/run.py builds it as cmd/weftbench by an overlay over the Go tree.
//
//	reader FILE   prints: events seconds
package main

import (
	"bufio"
	"fmt"
	"internal/trace"
	"io"
	"os"
	"time"
)

func main() {
	f, err := os.Open(os.Args[1])
	if err != nil {
		fatal(err)
	}
	start := time.Now()
	r, err := trace.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		fatal(err)
	}
	n := 0
	var last trace.Time
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			break
		}
		if err != nil {
			fatal(err)
		}
		last = ev.Time()
		n++
	}
	fmt.Printf("%d %.6f\n", n, time.Since(start).Seconds())
	_ = last
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "reader:", err)
	os.Exit(1)
}
