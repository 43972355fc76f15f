// The same programs as bench/rt/*.c, in Go, with the same names and the same output.
//
//	bench-rt-go NAME [STEPS]     prints `NAME NANOSECONDS`
//
// With BENCH_TRACE=FILE it is traced from its start to its end.
package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/trace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	benchTime = 50 * time.Millisecond
	repeats   = 3
	many      = 1000 * 1000
)

func took(run func(n int), n int) time.Duration {
	start := time.Now()
	run(n)
	return time.Since(start)
}

func timeOf(run func(n int)) float64 {
	n := 1
	t := took(run, n)
	for t < benchTime {
		grow := 10.0
		if t > 0 {
			grow = min(10, 1.2*float64(benchTime)/float64(t))
		}
		n = int(float64(n)*grow) + 1
		t = took(run, n)
	}
	for i := 1; i < repeats; i++ {
		t = min(t, took(run, n))
	}
	return float64(t.Nanoseconds()) / float64(n)
}

func result(name string, value float64) { fmt.Printf("%s %.3f\n", name, value) }

func pingPong(n int) {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
		close(back)
	}()
	for i := 0; i < n; i++ {
		there <- i
		<-back
	}
	close(there)
	<-back
}

func yield(n int) {
	var done sync.WaitGroup
	done.Add(2)
	for k := 0; k < 2; k++ {
		go func() {
			for i := 0; i < n; i++ {
				runtime.Gosched()
			}
			done.Done()
		}()
	}
	done.Wait()
}

func nothing(done *sync.WaitGroup) { done.Done() }

func spawnMany(n int) {
	var done sync.WaitGroup
	for i := 0; i < n; i++ {
		done.Add(1000)
		for k := 0; k < 1000; k++ {
			go nothing(&done)
		}
		done.Wait()
	}
}

func spawnOne(n int) {
	var done sync.WaitGroup
	for i := 0; i < n; i++ {
		done.Add(1)
		go nothing(&done)
		done.Wait()
	}
}

func buffered(n int) {
	ch := make(chan int, 128)
	go func() {
		for i := 0; i < n; i++ {
			ch <- i
		}
		close(ch)
	}()
	for range ch {
	}
}

func selectFour(n int) {
	var ch [4]chan int
	for i := range ch {
		ch[i] = make(chan int)
	}
	go func() {
		for i := 0; i < n; i++ {
			ch[i%4] <- i
		}
	}()
	for i := 0; i < n; i++ {
		select {
		case <-ch[0]:
		case <-ch[1]:
		case <-ch[2]:
		case <-ch[3]:
		}
	}
}

func selectDefault(n int) {
	var ch [4]chan int
	for i := range ch {
		ch[i] = make(chan int)
	}
	for i := 0; i < n; i++ {
		select {
		case <-ch[0]:
		case <-ch[1]:
		case <-ch[2]:
		case <-ch[3]:
		default:
		}
	}
}

func mutex(n int) {
	var lock sync.Mutex
	var done sync.WaitGroup
	count := 0
	done.Add(4)
	for k := 0; k < 4; k++ {
		go func() {
			for i := 0; i < n; i++ {
				lock.Lock()
				count++
				lock.Unlock()
			}
			done.Done()
		}()
	}
	done.Wait()
	if count != 4*n {
		panic("mutex: lost counts")
	}
}

func timer(n int) {
	for i := 0; i < n; i++ {
		time.AfterFunc(time.Hour, func() {}).Stop()
	}
}

func timerReset(n int) {
	t := time.AfterFunc(time.Hour, func() {})
	for i := 0; i < n; i++ {
		t.Reset(time.Hour)
		t.Stop()
	}
}

// residentBytes is RSS plus page tables of this process.
func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	kib := 0.0
	for _, line := range strings.Split(string(text), "\n") {
		var v float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f", &v); n == 1 {
			kib += v
		} else if n, _ := fmt.Sscanf(line, "VmPTE: %f", &v); n == 1 {
			kib += v
		}
	}
	return kib * 1024
}

func parked() {
	var here atomic.Int64
	var done sync.WaitGroup
	gate := make(chan struct{})
	before := residentBytes()
	start := time.Now()
	done.Add(many)
	for i := 0; i < many; i++ {
		go func() {
			here.Add(1)
			<-gate
			done.Done()
		}()
	}
	for here.Load() < many {
		runtime.Gosched()
	}
	created := time.Since(start)
	after := residentBytes()
	open := time.Now()
	close(gate)
	done.Wait()
	finished := time.Since(open)
	result("parked-create", float64(created.Nanoseconds())/many)
	result("parked-finish", float64(finished.Nanoseconds())/many)
	result("parked-bytes", (after-before)/many)
}

func leastOf(soFar float64, run func(n int)) float64 {
	const calls = 1000
	return min(soFar, float64(took(run, calls).Nanoseconds())/calls)
}

func call() {
	bare, whole := math.Inf(1), math.Inf(1)
	for k := 0; k < 500; k++ {
		bare = leastOf(bare, func(n int) {
			for i := 0; i < n; i++ {
				syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0)
			}
		})
		whole = leastOf(whole, func(n int) {
			for i := 0; i < n; i++ {
				syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0)
			}
		})
	}
	result("call", whole-bare)
	result("call-bare", bare)
}

type node struct{ left, right *node }

func grow(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{grow(depth - 1), grow(depth - 1)}
}

func (t *node) nodes() int {
	if t == nil {
		return 0
	}
	return 1 + t.left.nodes() + t.right.nodes()
}

func tree() {
	const depth, longLived, trees = 16, 18, 64
	start := time.Now()
	stays := grow(longLived)
	made := stays.nodes()
	for i := 0; i < trees; i++ {
		made += grow(depth).nodes()
	}
	if stays.nodes() != 2<<longLived-1 {
		panic("the tree that stays")
	}
	ns := float64(time.Since(start).Nanoseconds()) / float64(made)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var g debug.GCStats
	debug.ReadGCStats(&g)
	longest := time.Duration(0)
	for _, p := range g.Pause {
		longest = max(longest, p)
	}
	result("tree", ns)
	result("tree-heap-mb", float64(m.HeapSys)/1e6)
	result("tree-pause-max-us", float64(longest.Nanoseconds())/1e3)
}

func echo() {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("port %d\n", l.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					if _, err := c.Write(buf[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	io.Copy(io.Discard, bufio.NewReader(os.Stdin))
}

// longestGap runs a goroutine that looks at the clock again and again, for so long, and returns its longest time without a look.
func longestGap(d time.Duration) time.Duration {
	start := time.Now()
	last, longest := start, time.Duration(0)
	for last.Sub(start) < d {
		runtime.Gosched()
		now := time.Now()
		longest = max(longest, now.Sub(last))
		last = now
	}
	return longest
}

var tookLeast = time.Hour

// gapUs is the gap of one who looks for d, while a trace begins (or does not).
func gapUs(d time.Duration, traced bool) float64 {
	begun, gap := make(chan struct{}), make(chan time.Duration)
	go func() {
		begun <- struct{}{}
		gap <- longestGap(d)
	}()
	<-begun
	time.Sleep(time.Millisecond)
	if traced {
		before := time.Now()
		if err := trace.Start(io.Discard); err != nil {
			panic(err)
		}
		tookLeast = min(tookLeast, time.Since(before))
		defer trace.Stop()
	}
	return float64((<-gap).Nanoseconds()) / 1e3
}

func usualGapUs(d time.Duration, traced bool, n int) float64 {
	var gaps []float64
	for i := 0; i < n; i++ {
		gaps = append(gaps, gapUs(d, traced))
	}
	slices.Sort(gaps)
	return gaps[n/2]
}

func start() {
	const crowd, times = 100 * 1000, 15
	gate := make(chan struct{})
	for i := 0; i < crowd; i++ {
		go func() { <-gate }()
	}
	time.Sleep(100 * time.Millisecond)
	result("start-gap-off-us", usualGapUs(30*time.Millisecond, false, times))
	result("start-gap-us", usualGapUs(30*time.Millisecond, true, times))
	result("start-gap-on-us", usualGapUs(1300*time.Millisecond, true, 3))
	result("start-us", float64(tookLeast.Nanoseconds())/1e3)
}

func traced() func() {
	path := os.Getenv("BENCH_TRACE")
	if path == "" {
		return func() {}
	}
	f, err := os.Create(path)
	if err == nil {
		err = trace.Start(f)
	}
	if err != nil {
		panic(err)
	}
	return trace.Stop
}

func main() {
	defer traced()()
	steps := map[string]struct {
		run func(n int)
		per float64
	}{
		"ping-pong": {pingPong, 1}, "yield": {yield, 2}, "spawn-many": {spawnMany, 1000}, "spawn-one": {spawnOne, 1},
		"buffered": {buffered, 1}, "select-4": {selectFour, 1}, "select-default": {selectDefault, 1}, "mutex": {mutex, 4},
		"timer": {timer, 1}, "timer-reset": {timerReset, 1},
	}
	alone := map[string]func(){"parked": parked, "call": call, "tree": tree, "echo": echo, "start": start}
	name, n := "", 0
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if len(os.Args) > 2 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	if s, ok := steps[name]; ok && n > 0 {
		result(name, float64(took(s.run, n).Nanoseconds())/float64(n)/s.per)
	} else if ok {
		result(name, timeOf(s.run)/s.per)
	} else if run, ok := alone[name]; ok {
		run()
	} else {
		fmt.Fprintf(os.Stderr, "bench-rt-go: no subject named %q\n", name)
		os.Exit(2)
	}
}
