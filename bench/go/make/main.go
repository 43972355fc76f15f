// Make writes an execution trace of a given size, for measuring.
//
//	make -program chan|gc|http -mb N -o FILE
//
// It runs until the trace has about N MB, so that the sizes are the same on every machine; the time differs.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
)

var done atomic.Bool // set when the trace is large enough; every loop looks at it

// counter passes on and stops the program at its limit.
type counter struct {
	w        io.Writer
	n, limit int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	if c.n >= c.limit {
		done.Store(true)
	}
	return c.w.Write(b)
}

func main() {
	log.SetFlags(0)
	program := flag.String("program", "chan", "chan, gc or http")
	mb := flag.Int64("mb", 15, "size in MB (10^6 bytes)")
	out := flag.String("o", "trace.out", "file to write")
	flag.Parse()

	f, err := os.Create(*out)
	if err != nil {
		log.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := trace.Start(&counter{w: w, limit: *mb * 1e6}); err != nil {
		log.Fatal(err)
	}
	switch *program {
	case "chan":
		chans()
	case "gc":
		garbage()
	case "http":
		requests()
	default:
		log.Fatalf("no program %q", *program)
	}
	trace.Stop()
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
}

// chans is bound by the scheduler: pairs that hand a value to and fro, a pipeline, workers on a queue, a lock.
func chans() {
	var wg sync.WaitGroup
	for range 20 {
		ping, pong := make(chan int), make(chan int)
		wg.Add(2)
		go pinger(&wg, ping, pong)
		go ponger(&wg, ping, pong)
	}
	wg.Add(1)
	go pipeline(&wg, 8)
	var mu sync.Mutex
	total := 0
	for range 4 {
		wg.Add(1)
		go adder(&wg, &mu, &total)
	}
	wg.Wait()
}

func pinger(wg *sync.WaitGroup, ping chan<- int, pong <-chan int) {
	defer wg.Done()
	for i := 0; !done.Load(); i++ {
		ping <- i
		<-pong
	}
	close(ping)
}

func ponger(wg *sync.WaitGroup, ping <-chan int, pong chan<- int) {
	defer wg.Done()
	for i := range ping {
		pong <- i
	}
}

func pipeline(wg *sync.WaitGroup, stages int) {
	defer wg.Done()
	first := make(chan int)
	in := first
	for range stages {
		out := make(chan int, 4)
		go stage(in, out)
		in = out
	}
	go func() {
		for i := 0; !done.Load(); i++ {
			first <- i
		}
		close(first)
	}()
	for range in {
	}
}

func stage(in <-chan int, out chan<- int) {
	for i := range in {
		out <- i + 1
	}
	close(out)
}

func adder(wg *sync.WaitGroup, mu *sync.Mutex, total *int) {
	defer wg.Done()
	for !done.Load() {
		mu.Lock()
		*total++
		mu.Unlock()
		time.Sleep(20 * time.Microsecond)
	}
}

// garbage allocates in many short goroutines, so that the collector runs all the time.
func garbage() {
	var keep [1 << 12][]*[64]byte
	var wg sync.WaitGroup
	sem := make(chan struct{}, 16)
	for i := 0; !done.Load(); i++ {
		sem <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			p := make([]*[64]byte, 200)
			for j := range p {
				p[j] = new([64]byte)
			}
			keep[i%len(keep)] = p
			<-sem
		}()
	}
	wg.Wait()
}

// requests serves HTTP to itself, a task and two regions per request.
func requests() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(l, http.HandlerFunc(handle))
	url := "http://" + l.Addr().String()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	var wg sync.WaitGroup
	for range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !done.Load() {
				resp, err := client.Get(url)
				if err != nil {
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}()
	}
	wg.Wait()
}

func handle(w http.ResponseWriter, r *http.Request) {
	ctx, task := trace.NewTask(r.Context(), "request")
	defer task.End()
	body := make(chan string)
	go trace.WithRegion(ctx, "render", func() { body <- render(ctx) })
	text := <-body
	trace.WithRegion(ctx, "send", func() { io.WriteString(w, text) })
}

func render(ctx context.Context) string {
	trace.Log(ctx, "page", "index")
	return fmt.Sprintf("%d", time.Now().UnixNano())
}
