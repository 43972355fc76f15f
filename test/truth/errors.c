/* test/truth/errors.c - Go's error messages, and which of our rules each of them is.
 *
 * Go has no stable names for its errors, so a part of the message stands for each.  Files that are not traces in the
 * first place are refused in opening, all else by reading.
 */
#include "truth.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *go, *rule;
} rules[] = {
	{ "bad file format: not a Go execution trace?", "header" },
	{ "unknown or unsupported trace version", "header" },
	/* v1: a file is parsed and ordered as a whole. */
	{ "no consistent ordering of events possible", "v1.order" },
	{ "no EvFrequency event", "v1.no-frequency" },
	{ "EvBatch has wrong number of arguments", "v1.batch-arguments" },
	{ "failed to read trace: EOF", "v1.truncated" },
	{ "argument: malformatted base-128 varint", "v1.truncated" }, /* of a number that the end of the file cuts */
	{ "unknown event type", "v1.event-type" },
	/* v2 */
	{ "no frequency event found", "sync.no-frequency" },
	{ "found invalid event type", "event.type" },
	{ "found invalid stack ID", "event.table-id" },
	{ "found invalid func string ID", "tables.stack-string" },
	{ "expected stack event, got", "tables.entry" },
	{ "broken trace: failed to advance: frontier", "order.stuck" },
	{ "failed to advance GoSyscallBegin: can't make sequence", "order.proc-seq" },
	{ "failed to read full batch", "container.batch-data" },
	{ "incomplete generation found; trace likely truncated", "container.generation-torn" },
};

bool truth_same_error(const char *go, const wtr_error *ours)
{
	if (*go == 0 && ours->code == WTR_OK)
		return true;
	for (size_t i = 0; *go && i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strstr(go, rules[i].go) && ours->code != WTR_OK && strcmp(ours->rule, rules[i].rule) == 0)
			return true;
	printf("# error: Go says \"%s\", we say %s (%s): %s\n", go, wtr_strerror(ours->code),
		ours->rule ? ours->rule : "", ours->what);
	return false;
}
