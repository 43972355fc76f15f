/* read/names.c - the words of the event API. */
#include <wtr/event.h>
#include <wtr/object.h>

#include "fmt/events.h"

const char *wtr_kind_name(unsigned kind)
{
	static const char *const names[] = {
#define NAME(ID, name) name,
		WTR_KINDS(NAME)
#undef NAME
	};
	return kind < sizeof(names) / sizeof(*names) ? names[kind] : "Bad";
}

const char *wtr_gstate_name(unsigned state)
{
	static const char *const names[WTR_G_COUNT] = { "Undetermined", "NotExist", "Runnable", "Running", "Waiting",
		"Syscall" };
	return state < WTR_G_COUNT ? names[state] : "Bad";
}

const char *wtr_pstate_name(unsigned state)
{
	static const char *const names[WTR_P_COUNT] = { "Undetermined", "NotExist", "Running", "Idle" };
	return state < WTR_P_COUNT ? names[state] : "Bad";
}

const char *wtr_range_name(unsigned range)
{
	static const char *const names[WTR_RANGE_COUNT] = { "stop-the-world", "GC concurrent mark phase",
		"GC incremental sweep", "GC mark assist" };
	return range < WTR_RANGE_COUNT ? names[range] : "Bad";
}

const char *wtr_metric_name(unsigned metric)
{
	static const char *const names[WTR_METRIC_COUNT] = { "/sched/gomaxprocs:threads",
		"/memory/classes/heap/objects:bytes", "/gc/heap/goal:bytes" };
	return metric < WTR_METRIC_COUNT ? names[metric] : "Bad";
}

const char *wtr_type_name(unsigned type)
{
	if (type == WF_EV_NONE)
		return "Sync";
	return type < 256 && wf_specs[type].name ? wf_specs[type].name : "Bad";
}

const char *wtr_object_name(unsigned kind)
{
	static const char *const names[] = { "object",
#define NAME(ID, name) name,
		WTR_OBJECTS(NAME)
#undef NAME
	};
	return kind < WTR_OBJECT_KIND_COUNT ? names[kind] : names[0];
}
