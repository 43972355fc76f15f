package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"internal/trace"
)

func random(state *uint64) uint64 {
	x := *state
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*state = x
	return x * 0x2545f4914f6cdd1d
}

const header = 16 // its spaces may be any white space to Go, which nobody needs

// damaged is the same function as in damage.c.
func damaged(whole []byte, seed, i uint64) []byte {
	state := seed*0x9e3779b97f4a7c15 + i + 1
	random(&state)
	where := header + random(&state)%(uint64(len(whole))-header)
	if i%8 == 7 {
		return whole[:where]
	}
	at := bytes.Clone(whole)
	at[where] += byte(1 + random(&state)%255)
	if i%8 == 6 {
		where = header + random(&state)%(uint64(len(whole))-header)
		at[where] += byte(1 + random(&state)%255)
	}
	return at
}

func mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

func hash(h uint64, ev *trace.Event) uint64 {
	h = mix(h, uint64(ev.Time()))
	h = mix(mix(mix(h, uint64(ev.Thread())), uint64(ev.Proc())), uint64(ev.Goroutine()))
	h = mix(h, uint64(ev.Kind()))
	if ev.Kind() == trace.EventStateTransition {
		st := ev.StateTransition()
		switch st.Resource.Kind {
		case trace.ResourceGoroutine:
			from, to := st.Goroutine()
			h = mix(mix(h, uint64(st.Resource.Goroutine())), uint64(from)<<4|uint64(to))
		case trace.ResourceProc:
			from, to := st.Proc()
			h = mix(mix(h, uint64(st.Resource.Proc())), uint64(from)<<4|uint64(to))
		}
	}
	return h
}

// read returns the number of events, how reading ended (ok, error, panic), and a hash over the events.
func read(at []byte) (n int, ended string, h uint64) {
	h = 1
	defer func() {
		if recover() != nil {
			ended = "panic"
		}
	}()
	r, err := trace.NewReader(bytes.NewReader(at))
	if err != nil {
		return 0, "error", h
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return n, "ok", h
		}
		if err != nil {
			return n, "error", h
		}
		h = hash(h, &ev)
		n++
	}
}

// damage prints what Go makes of each of many damaged traces: a line is `i events ended hash`.
//
// args: SEED CASES DIR NAME..; case i is trace NAME number i % len(NAMES) of DIR, changed as test/interop/damage.c says.
func damage(args []string) {
	seed, _ := strconv.ParseUint(args[0], 10, 64)
	cases, _ := strconv.ParseUint(args[1], 10, 64)
	var whole [][]byte
	for _, name := range args[3:] {
		at, err := os.ReadFile(filepath.Join(args[2], name+".trace"))
		if err != nil {
			die(err)
		}
		whole = append(whole, at)
	}
	for i := range cases {
		n, ended, h := read(damaged(whole[i%uint64(len(whole))], seed, i))
		fmt.Fprintf(out, "%d %d %s %x\n", i, n, ended, h)
	}
}
