/* rt/trace.c - the public calls of the tracer; what is in traces is for test/tr and test/examples. */
#include "kit/rtkit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int count_bytes(const void *at, size_t n, void *arg)
{
	(void)at;
	*(size_t *)arg += n;
	return 0;
}

CASE(start_twice, "trace.Start: returns an error if tracing is already enabled")
{
	size_t n = 0;
	weft_trace_options opt = { .fd = -1, .write = count_bytes, .write_arg = &n };
	kit_expect(!weft_trace_on());
	kit_equal(weft_trace_start_with(&opt), 0);
	kit_expect(weft_trace_on());
	kit_equal(weft_trace_start_with(&opt), -EBUSY);
	kit_equal(weft_trace_stop(), 0);
	kit_expect(!weft_trace_on());
	kit_expect(n > 16);
}

CASE(stop_nothing, "trace.h: -EINVAL when none was started")
{
	kit_equal(weft_trace_stop(), -EINVAL);
}

static void outside(void)
{
	kit_equal(weft_trace_start(1), -EPERM);
}

CASE(start_outside, "trace.h: -EPERM when the scheduler does not run", .outside = true)
{
	outside();
}

CASE(again_and_again, "trace.h: any number of times, one after the other")
{
	for (int i = 0; i < 20; i++) {
		size_t n = 0;
		weft_trace_options opt = { .fd = -1, .write = count_bytes, .write_arg = &n };
		kit_equal(weft_trace_start_with(&opt), 0);
		weft_yield();
		kit_equal(weft_trace_stop(), 0);
		kit_expect(n > 16);
	}
}

static int refuse(const void *at, size_t n, void *arg)
{
	(void)at;
	(void)n;
	(void)arg;
	return -ENOSPC;
}

CASE(full_disk, "trace.h: when writing fails the trace ends, the program goes on, and weft_trace_stop() says why")
{
	weft_trace_options opt = { .fd = -1, .write = refuse };
	kit_equal(weft_trace_start_with(&opt), 0);
	weft_sleep(10 * WEFT_MS);
	kit_equal(weft_trace_stop(), -ENOSPC);
}

CASE(regions_nest, "trace.StartRegion: the region must be ended in the same goroutine, and regions nest")
{
	weft_task task = weft_task_begin(NULL, "task");
	kit_expect(task.id != 0);
	kit_equal(weft_region_end(NULL, "none"), -EINVAL);
	kit_equal(weft_region_begin(&task, "outer"), 0);
	kit_equal(weft_region_begin(NULL, "inner"), 0);
	kit_equal(weft_region_end(&task, "outer"), -EINVAL);
	kit_equal(weft_region_end(NULL, "inner"), 0);
	kit_equal(weft_region_end(&task, "inner"), -EINVAL);
	kit_equal(weft_region_end(&task, "outer"), 0);
	weft_task_end(task);
}

CASE(deep_regions, "trace.h: regions nest, however deep")
{
	for (int i = 0; i < 1000; i++)
		kit_equal(weft_region_begin(NULL, "deep"), 0);
	for (int i = 0; i < 1000; i++)
		kit_equal(weft_region_end(NULL, "deep"), 0);
	kit_equal(weft_region_end(NULL, "deep"), -EINVAL);
}

CASE(snapshot_of_nothing, "trace.h: -EINVAL without a window")
{
	kit_equal(weft_trace_snapshot(1), -EINVAL);
}

CASE(flight_recorder, "FlightRecorder.WriteTo: writes what it holds, and goes on")
{
	int fds[2];
	kit_require(pipe(fds) == 0);
	fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
	weft_trace_options opt = { .fd = -1, .window_bytes = 1 << 16, .window = WEFT_SECOND };
	kit_equal(weft_trace_start_with(&opt), 0);
	for (int i = 0; i < 2; i++) {
		weft_log(NULL, "", "round %d", i);
		kit_equal(weft_trace_snapshot(fds[1]), 0);
		char head[16];
		kit_equal(read(fds[0], head, sizeof(head)), 16);
		kit_expect(memcmp(head, "go 1.26 trace\0\0\0", 16) == 0);
		static char rest[1 << 20];
		kit_expect(read(fds[0], rest, sizeof(rest)) > 100);
	}
	kit_equal(weft_trace_stop(), 0);
	close(fds[0]);
	close(fds[1]);
}
