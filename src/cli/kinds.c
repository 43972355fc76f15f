/* cli/kinds.c - kinds of events, as options name them. */
#include <string.h>
#include <strings.h>

#include "base/near.h"
#include "cli/cli.h"

/* The kind of that name; WTR_KIND_COUNT if there is none. */
static unsigned find_kind(const char *name, size_t n)
{
	unsigned k = 1;
	while (k < WTR_KIND_COUNT && (strlen(wtr_kind_name(k)) != n || strncasecmp(wtr_kind_name(k), name, n) != 0))
		k++;
	return k;
}

static void no_such_kind(const cli_args *a, const char *name, size_t n)
{
	wb_buf all = { 0 };
	wb_near near = { .word = name, .n = n };
	for (unsigned k = 1; k < WTR_KIND_COUNT; k++) {
		wb_buf_printf(&all, "%s%s", k > 1 ? ", " : "", wtr_kind_name(k));
		wb_near_try(&near, wtr_kind_name(k));
	}
	if (near.best[0])
		cli_usage(a->command, "there is no kind '%.*s' of events; did you mean %s?", (int)n, name, near.best);
	else
		cli_usage(a->command, "there is no kind '%.*s' of events, but %s", (int)n, name, wb_buf_cstr(&all));
	wb_buf_free(&all);
}

bool cli_kinds(const cli_args *a, cli_option_id id, uint32_t *ret)
{
	const char *s = a->values[id];
	for (uint32_t kinds = 0;; s++) {
		size_t n = strcspn(s, ",");
		unsigned k = find_kind(s, n);
		if (k == WTR_KIND_COUNT) {
			no_such_kind(a, s, n);
			return false;
		}
		kinds |= (uint32_t)1 << k;
		s += n;
		if (*s == 0) {
			*ret = kinds;
			return true;
		}
	}
}
