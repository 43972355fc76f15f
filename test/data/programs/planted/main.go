// Planted has one fault on purpose, or the same program without it (MODE-ok): what `weft findings` must find, and where, and
// where it must be silent.  test/data/planted has the traces and says what each must show.
package main

import (
	"context"
	"net"
	"os"
	"runtime"
	"runtime/trace"
	"strings"
	"sync"
	"syscall"
	"time"
)

const length = 250 * time.Millisecond

var ok bool // without the fault

// spin computes for d without a call that lets others in.
//
//go:noinline
func spin(d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; {
	}
}

// until calls f again and again until the time is over.
func until(f func()) {
	for begin := time.Now(); time.Since(begin) < length; {
		f()
	}
}

// together runs n goroutines of f and waits for them.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func(i int) { defer wg.Done(); f(i) }(i)
	}
	wg.Wait()
}

// ---- leak: nobody takes what late answers send ----

func answer(c chan<- int) { c <- 1 }

func leak() {
	until(func() {
		c := make(chan int)
		go answer(c)
		time.Sleep(5 * time.Millisecond)
		if ok {
			<-c
		}
	})
}

// ---- deadlock: two locks in opposite orders ----

func debit(a, b *sync.Mutex, both bool) {
	a.Lock()
	spin(200 * time.Microsecond)
	if !both {
		a.Unlock()
		a = nil
	}
	b.Lock()
	spin(200 * time.Microsecond)
	b.Unlock()
	if a != nil {
		a.Unlock()
	}
}

func credit(a, b *sync.Mutex, both bool) {
	b.Lock()
	spin(200 * time.Microsecond)
	if !both {
		b.Unlock()
		b = nil
	}
	a.Lock()
	spin(200 * time.Microsecond)
	a.Unlock()
	if b != nil {
		b.Unlock()
	}
}

func deadlock() {
	var a, b sync.Mutex
	var meet sync.WaitGroup
	meet.Add(2)
	account := func(f func(a, b *sync.Mutex, both bool)) {
		for i := 0; i < 50; i++ {
			f(&a, &b, false)
		}
		meet.Done()
		meet.Wait()
		for i := 0; i < 200 && !ok; i++ {
			f(&a, &b, true)
		}
	}
	go account(debit)
	go account(credit)
	time.Sleep(length)
}

// ---- convoy: all workers need one lock for most of what they do ----

type shared struct {
	mu sync.Mutex
	n  int
}

func (s *shared) update() {
	s.mu.Lock()
	spin(100 * time.Microsecond)
	s.n++
	s.mu.Unlock()
}

func convoy() {
	var one shared
	together(8, func(int) {
		mine := &one
		if ok {
			mine = new(shared)
		}
		until(func() { mine.update(); time.Sleep(100 * time.Microsecond) })
	})
}

// ---- rwmutex: one slow reader, a writer behind it, and many readers behind that ----

type config struct {
	mu sync.RWMutex
}

func (c *config) read(d time.Duration) {
	c.mu.RLock()
	time.Sleep(d)
	c.mu.RUnlock()
}

func (c *config) write() {
	c.mu.Lock()
	c.mu.Unlock()
}

func rwmutex() {
	var c config
	slow := 20 * time.Millisecond
	if ok {
		slow = 0
	}
	go until(func() { c.read(slow); time.Sleep(time.Millisecond) })
	go until(func() { time.Sleep(5 * time.Millisecond); c.write() })
	together(6, func(int) { until(func() { c.read(0); time.Sleep(200 * time.Microsecond) }) })
}

// ---- sched: more to compute than procs ----

func sched() {
	n := 24
	if ok {
		n = 2
	}
	together(n, func(int) { until(func() { spin(4 * time.Millisecond); time.Sleep(time.Millisecond) }) })
}

// ---- greedy: a loop without a call, and GODEBUG=asyncpreemptoff=1 ----

var sum int

//go:noinline
func crunch(n int) (s int) {
	for i := 0; i < n; i++ {
		s += i ^ s
	}
	return s
}

func greedy() {
	go until(func() {
		if ok {
			sum += crunch(100000)
			runtime.Gosched()
		} else {
			sum += crunch(60000000)
		}
	})
	until(func() { time.Sleep(10 * time.Millisecond); runtime.GC() })
}

// ---- assist, gc: much garbage, a small heap ----

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

func assist() {
	kept := grow(14)
	depth := 10
	if ok {
		depth = 2
	}
	together(4, func(int) {
		for begin := time.Now(); time.Since(begin) < length/10; {
			grow(depth)
			if ok {
				time.Sleep(time.Millisecond)
			}
		}
	})
	runtime.KeepAlive(kept)
	time.Sleep(length / 2)
}

// ---- stw: statistics that stop the world, all the time ----

func stw() {
	var m runtime.MemStats
	if !ok {
		go until(func() { spin(time.Millisecond) })
	}
	until(func() {
		runtime.ReadMemStats(&m)
		if ok {
			time.Sleep(50 * time.Millisecond)
		}
	})
}

// ---- syscall: a byte at a time ----

func syscalls() {
	f, err := os.Open("/dev/zero")
	if err != nil {
		panic(err)
	}
	fd := int(f.Fd())
	b := make([]byte, 1)
	n := 0
	until(func() {
		if n++; ok && n > 200 {
			time.Sleep(time.Millisecond)
		} else if n < 40000 {
			syscall.Read(fd, b)
		} else {
			time.Sleep(time.Millisecond)
		}
	})
}

// ---- idle: far more procs than processors (run on one processor) ----

func idle() {
	for i := 0; i < 6 && !ok; i++ {
		go until(func() { spin(time.Millisecond) })
	}
	together(6, func(int) { until(func() { spin(20 * time.Microsecond); time.Sleep(500 * time.Microsecond) }) })
}

// ---- fanout: a goroutine for every little thing ----

func fanout() {
	for round := 0; round < 4; round++ {
		if ok {
			together(2, func(int) {
				for i := 0; i < 500; i++ {
					sum += crunch(100)
				}
			})
		} else {
			together(1000, func(int) { small() })
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func small() { crunch(100) }

// ---- herd: all are woken for one thing to do ----

func herd() {
	var mu sync.Mutex
	c := sync.NewCond(&mu)
	items, done := 0, false
	go func() {
		for i := 0; i < 30; i++ {
			time.Sleep(4 * time.Millisecond)
			mu.Lock()
			items++
			mu.Unlock()
			if ok {
				c.Signal()
			} else {
				c.Broadcast()
			}
		}
		mu.Lock()
		done = true
		mu.Unlock()
		c.Broadcast()
	}()
	together(48, func(int) {
		for {
			mu.Lock()
			for items == 0 && !done {
				c.Wait()
			}
			over := done
			if items > 0 {
				items--
			}
			mu.Unlock()
			if over {
				return
			}
			spin(200 * time.Microsecond)
		}
	})
}

// ---- pingpong: an unbuffered channel each way, between threads ----

func pingpong() {
	there, back := make(chan int), make(chan int)
	if !ok {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	go player(there, back)
	until(func() {
		there <- 1
		<-back
		spin(20 * time.Microsecond)
	})
	close(there)
}

func player(there <-chan int, back chan<- int) {
	if !ok {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	for range there {
		spin(20 * time.Microsecond)
		back <- 1
	}
}

// ---- netpoll: answers come, and all procs compute ----

func netpoll() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				b := make([]byte, 1)
				for {
					if _, err := c.Read(b); err != nil {
						return
					}
					c.Write(b)
				}
			}()
		}
	}()
	if !ok {
		for i := 0; i < 4; i++ {
			go until(func() { spin(5 * time.Millisecond); runtime.Gosched() })
		}
	}
	together(8, func(int) {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			panic(err)
		}
		b := make([]byte, 1)
		until(func() { c.Write(b); c.Read(b); time.Sleep(2 * time.Millisecond) })
		c.Close()
	})
	ln.Close()
}

// ---- outliers: a few of many take long ----

func outliers() {
	ctx, task := trace.NewTask(context.Background(), "batch")
	defer task.End()
	for i := 0; i < 100; i++ {
		trace.WithRegion(ctx, "lookup", func() {
			spin(100 * time.Microsecond)
			if i%40 == 20 && !ok {
				slowDisk()
			}
		})
	}
}

func slowDisk() { time.Sleep(30 * time.Millisecond) }

// ---- serial: workers wait while one prepares ----

func serial() {
	prepare, work := 6*time.Millisecond, time.Millisecond
	if ok {
		prepare, work = 100*time.Microsecond, 6*time.Millisecond
	}
	jobs, done := make(chan int), make(chan int)
	for i := 0; i < 4; i++ {
		go func() {
			for range jobs {
				spin(work)
				done <- 1
			}
		}()
	}
	for round := 0; round < 25; round++ {
		prepareAll(prepare, jobs)
		for i := 0; i < 4; i++ {
			<-done
		}
	}
}

func prepareAll(d time.Duration, jobs chan<- int) {
	spin(d)
	for i := 0; i < 4; i++ {
		jobs <- i
	}
}

func main() {
	modes := map[string]struct {
		procs int
		run   func()
	}{
		"leak": {2, leak}, "deadlock": {4, deadlock}, "convoy": {4, convoy}, "rwmutex": {4, rwmutex}, "sched": {2, sched},
		"greedy": {2, greedy}, "assist": {2, assist}, "stw": {2, stw}, "syscall": {2, syscalls}, "idle": {16, idle},
		"fanout": {2, fanout}, "herd": {4, herd}, "pingpong": {2, pingpong}, "netpoll": {2, netpoll}, "outliers": {2, outliers},
		"serial": {4, serial},
	}
	name := strings.TrimSuffix(os.Args[2], "-ok")
	ok = name != os.Args[2]
	m, there := modes[name]
	if !there {
		panic("no mode " + name)
	}
	runtime.GOMAXPROCS(m.procs)
	f, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	if err := trace.Start(f); err != nil {
		panic(err)
	}
	m.run()
	trace.Stop()
	if err := f.Close(); err != nil {
		panic(err)
	}
}
