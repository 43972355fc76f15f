/* rt/main/weftmain.c - weft_main(): starts the world with what the environment asks for, and ends it. */
#include <errno.h>

#include <weft/go.h>

#include "os/sigpipe.h"
#include "rt/api/options.h"
#include "rt/api/profenv.h"
#include "rt/api/trace.h"
#include "rt/debug/server.h"
#include "rt/prof/dump.h"
#include "rt/prof/profiles.h"
#include "rt/sched/local.h"
#include "rt/sched/park.h"
#include "rt/sched/world.h"
#include "rt/stack/unwind.h"

_Static_assert(WEFT_PROCS_MAX == WEFT__PROCS_MAX, "one limit of procs");

struct first {
	weft_fn *fn;
	void *arg;
};

static WEFT__ENTRY void first(void *arg)
{
	struct first *f = arg;
	weft__debug_from_env();
	f->fn(f->arg);
	weft__local_end(weft__self_g(weft__self()));
	weft__profile_end(/* collect= */ true);
	weft__trace_end();
	weft__m *m = weft__stop_world(weft__enter(), WEFT__TR_STW_UNKNOWN);
	(void)m;
	weft__options_report_leaks();
	weft__note_wake(&weft__sched.main_done);
	for (;;) /* the world stays stopped: this thread has no more to do */
		weft__note_sleep(&m->park);
}

int weft_main(weft_fn *fn, void *arg, const weft_options *opt)
{
	static _Atomic bool called;
	weft__world_options o;
	if (atomic_load(&called)) /* what runs reads what the options become */
		return -EALREADY;
	int err = weft__options_read(opt ? opt : &(weft_options){ 0 }, &o);
	if (err < 0)
		return err;
	if (atomic_exchange(&called, true))
		return -EALREADY;
	err = weft__world_init(&o);
	if (err == 0)
		err = weft__dump_init();
	if (err < 0)
		return err;
	wo_sigpipe_init();
	weft__profiles_init();
	weft__trace_from_env();
	weft__profile_from_env();
	struct first f = { fn, arg };
	return weft__world_run(&(weft__start){ .fn = first,
		.entry = fn,
		.arg = &f,
		.stack_class = weft__sched.stack_class,
		.from = (uintptr_t)__builtin_return_address(0) });
}
