/* an/lanes.c - the lanes sink of a trace: texts and stacks come from the trace's own tables. */
#include "an/lanes.h"

static wtr_str string(void *user, uint32_t id)
{
	return wtr_string(user, id);
}

static size_t stack(void *user, uint32_t id, wtr_frame *ret, size_t n)
{
	return wtr_stack(user, id, ret, n);
}

an_sink *an_lanes_sink(wtr_trace *t)
{
	return an_lanes_sink_from((an_text_source){ t, string, stack });
}
