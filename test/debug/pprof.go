// A Go program as weft fetch meets it: net/http/pprof, where it listens on standard output, until its input ends.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%s/debug/pprof/\n", l.Addr())
	go http.Serve(l, nil)
	go func() {
		for range time.Tick(time.Millisecond) {
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}
