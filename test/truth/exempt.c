/* test/truth/exempt.c - where Go is wrong (docs/analyses.md): its values are replaced by the right ones.
 *
 * Only what a case touches is replaced, and each case is recognised by the truth file alone, never by our own results.
 */
#include "truth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set(yajl_val object, const char *key, int64_t to)
{
	yajl_val v = truth_get(object, key);
	char text[32];
	snprintf(text, sizeof(text), "%" PRId64, to);
	free(v->u.number.r);
	v->u.number.r = strdup(text);
	v->u.number.i = to;
}

static void add(yajl_val object, const char *key, int64_t by)
{
	set(object, key, truth_number(object, key) + by);
}

static int64_t sum_of_states(yajl_val o)
{
	int64_t sum = truth_number(o, "exec") + truth_number(o, "sched") + truth_number(o, "syscall") +
		      truth_number(o, "syscall_block");
	yajl_val block = truth_get(o, "block");
	for (size_t i = 0; block && i < block->u.object.len; i++)
		sum += YAJL_GET_INTEGER(block->u.object.values[i]);
	return sum;
}

static void move(yajl_val o, int64_t ns)
{
	add(o, "sched", -ns);
	add(o, "syscall", -ns);
	add(o, "syscall_block", ns);
}

uint64_t truth_move_syscall(yajl_val truth, int64_t id, int64_t ns)
{
	yajl_val list = truth_get(truth, "goroutines"), groups = truth_get(truth, "goroutines_by_name");
	uint64_t n = 0;
	for (size_t i = 0; list && i < list->u.array.len; i++) {
		yajl_val g = list->u.array.values[i];
		if (truth_number(g, "id") != id)
			continue;
		add(g, "syscall", -ns);
		add(g, "syscall_block", ns);
		n += 2;
		for (size_t k = 0; k < groups->u.array.len; k++)
			if (strcmp(truth_text(groups->u.array.values[k], "name"), truth_text(g, "name")) == 0) {
				add(groups->u.array.values[k], "syscall", -ns);
				add(groups->u.array.values[k], "syscall_block", ns);
				n += 2;
			}
	}
	return n;
}

/* A system call that still blocks when the trace ends: Go counts the time since its proc was taken in `syscall` and
 * again in `sched`, so that the sums exceed the total by it; it belongs in `syscall_block`. */
static uint64_t open_syscalls(yajl_val truth)
{
	uint64_t n = 0;
	yajl_val list = truth_get(truth, "goroutines"), groups = truth_get(truth, "goroutines_by_name"),
		 regions = truth_get(truth, "regions");
	for (size_t i = 0; list && i < list->u.array.len; i++) {
		yajl_val g = list->u.array.values[i];
		int64_t twice = sum_of_states(g) - truth_number(g, "total");
		if (twice <= 0 || strcmp(truth_text(g, "final_state"), "Syscall") != 0 ||
			!YAJL_IS_NULL(truth_get(g, "end")))
			continue;
		move(g, twice);
		n += 3;
		for (size_t k = 0; k < groups->u.array.len; k++)
			if (strcmp(truth_text(groups->u.array.values[k], "name"), truth_text(g, "name")) == 0) {
				move(groups->u.array.values[k], twice);
				n += 3;
			}
		for (size_t k = 0; k < regions->u.array.len; k++) {
			yajl_val r = regions->u.array.values[k];
			int64_t more = sum_of_states(r) - truth_number(r, "total");
			if (truth_number(r, "g") == truth_number(g, "id") && YAJL_IS_NULL(truth_get(r, "end")) &&
				more > 0) {
				move(r, more);
				n += 3;
			}
		}
	}
	return n;
}

static void make_null(yajl_val v)
{
	free(v->u.number.r);
	memset(&v->u, 0, sizeof(v->u));
	v->type = yajl_t_null;
}

/* v1: the end of a task without parent names 0 as its parent, which makes every root task a child of the background
 * task, and makes that one appear where nothing mentions it. */
static uint64_t v1_root_tasks(yajl_val truth)
{
	uint64_t n = 0;
	yajl_val list = truth_get(truth, "tasks"), zero = NULL;
	for (size_t i = 0; list && i < list->u.array.len; i++) {
		yajl_val t = list->u.array.values[i], parent = truth_get(t, "parent");
		if (truth_number(t, "id") == 0)
			zero = t;
		if (!YAJL_IS_INTEGER(parent) || YAJL_GET_INTEGER(parent) != 0)
			continue;
		make_null(parent);
		n++;
	}
	if (n == 0)
		return 0;
	n++;
	set(zero, "children", 0);
	if (truth_number(zero, "logs") || truth_number(zero, "regions") || truth_get(zero, "goroutines")->u.array.len)
		return n;
	/* It is the first of the list: nothing else mentions it. */
	yajl_tree_free(zero);
	memmove(list->u.array.values, list->u.array.values + 1, --list->u.array.len * sizeof(zero));
	add(truth, "task_count", -1);
	return n + 1;
}

void truth_exempt(yajl_val truth, unsigned version, truth_exempted *n)
{
	n->open_syscalls += open_syscalls(truth);
	if (version < 22)
		n->v1_root_tasks += v1_root_tasks(truth);
}
