/* fmt/events.c - the tables of events.def and v1events.def, expanded. */
#include "fmt/events.h"

#include <string.h>

enum {
#define ARG(name, type) +1
#define EV(no, ID, Name, since, cls, args) NARGS_##ID = 0 args,
#define TIMED(no, ID, Name, since, begin, args) NARGS_##ID = 0 args,
#define EXPT(no, ID, Name, since, exp, args) NARGS_##ID = 0 args,
#include "fmt/events.def"
};

const wf_spec wf_specs[256] = {
#define ARG(name, type) { #name, WF_TYPE_##type },
#define EV(no, ID, Name, since, cls, args) \
	[no] = { #Name, since, WF_CLASS_##cls, WF_EV_NONE, WF_EXP_NONE, NARGS_##ID, { args { 0 } } },
#define TIMED(no, ID, Name, since, begin, args) \
	[no] = { #Name, since, WF_CLASS_TIMED, WF_EV_##begin, WF_EXP_NONE, NARGS_##ID, { args { 0 } } },
#define EXPT(no, ID, Name, since, exp, args) \
	[no] = { #Name, since, WF_CLASS_TIMED, WF_EV_NONE, WF_EXP_##exp, NARGS_##ID, { args { 0 } } },
#include "fmt/events.def"
};

uint8_t wf_event_by_name(const char *name, unsigned n)
{
	for (unsigned i = 1; i < 256; i++)
		if (wf_specs[i].name && strlen(wf_specs[i].name) == n && memcmp(wf_specs[i].name, name, n) == 0)
			return (uint8_t)i;
	return WF_EV_NONE;
}

const wf_v1_spec wf_v1_specs[64] = {
#define V1(no, Name, since, cls, n, stk) [no] = { #Name, since, WF_V1_##cls, n, stk },
#include "fmt/v1events.def"
};
