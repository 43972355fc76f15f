/* test/truth/mmu.c - minimum mutator utilization against Go's values, which are floating point. */
#include "truth.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *key;
	int64_t ns;
} windows[] = { { "100us", 100000 }, { "1ms", 1000000 }, { "10ms", 10000000 }, { "100ms", 100000000 } };

static void differ(const char *flags, const char *key, double want, double got, unsigned *bad)
{
	printf("# mmu.%s.%s: Go says %.17g, we say %.17g\n", flags, key, want, got);
	++*bad;
}

static double real(yajl_val v)
{
	return YAJL_IS_INTEGER(v) ? (double)YAJL_GET_INTEGER(v) : YAJL_GET_DOUBLE(v);
}

static void compare(const char *flags, const wtr_mmu *m, yajl_val want, uint64_t *same, unsigned *bad)
{
	wtr_mmu_totals t;
	wtr_mmu_get_totals(m, &t);
	if (truth_number(want, "series") != (int64_t)t.series)
		differ(flags, "series", (double)truth_number(want, "series"), (double)t.series, bad);
	else
		++*same;
	if (truth_number(want, "points") != (int64_t)t.points)
		differ(flags, "points", (double)truth_number(want, "points"), (double)t.points, bad);
	else
		++*same;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		yajl_val v = truth_get(want, windows[i].key);
		if (!v)
			continue;
		double got = wtr_mmu_at(m, windows[i].ns);
		if (fabs(got - real(v)) > 1e-9)
			differ(flags, windows[i].key, real(v), got, bad);
		else
			++*same;
	}
}

void truth_mmu(wtr_trace *t, yajl_val truth, uint64_t *same, unsigned *bad)
{
	static const struct {
		const char *flags;
		unsigned causes;
	} cases[] = { { "stw+assist", 1u << WTR_GC_STW | 1u << WTR_GC_ASSIST },
		{ "stw+background+assist", 1u << WTR_GC_STW | 1u << WTR_GC_BACKGROUND | 1u << WTR_GC_ASSIST } };
	for (size_t i = 0; i < 2; i++) {
		yajl_val want = truth_get(truth_get(truth, "mmu"), cases[i].flags);
		wtr_mmu *m = NULL;
		if (!want || truth_get(want, "panic"))
			continue;
		if (wtr_mmu_make(t, &(wtr_mmu_query){ .causes = cases[i].causes, .as_go = true }, &m, NULL) != WTR_OK) {
			++*bad;
			continue;
		}
		compare(cases[i].flags, m, want, same, bad);
		wtr_mmu_free(m);
	}
}
