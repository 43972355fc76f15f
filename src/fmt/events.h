/* fmt/events.h - the event table as C sees it: numbers, names, argument kinds. */
#ifndef WF_EVENTS_H
#define WF_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

/* WF_EV_GO_CREATE = 14, ... : the bytes on the wire. */
typedef enum wf_event_number {
	WF_EV_NONE = 0,
#define ARG(name, type)
#define EV(no, ID, Name, since, cls, args) WF_EV_##ID = no,
#define TIMED(no, ID, Name, since, begin, args) WF_EV_##ID = no,
#define EXPT(no, ID, Name, since, exp, args) WF_EV_##ID = no,
#include "fmt/events.def"
} wf_event_number;

typedef enum wf_class { WF_CLASS_NONE, WF_CLASS_BATCH, WF_CLASS_SECTION, WF_CLASS_ENTRY, WF_CLASS_TIMED } wf_class;

typedef enum wf_type {
	WF_TYPE_VALUE,
	WF_TYPE_DT,
	WF_TYPE_M,
	WF_TYPE_P,
	WF_TYPE_G,
	WF_TYPE_SEQ,
	WF_TYPE_STRING,
	WF_TYPE_STACK,
	WF_TYPE_TASK,
	WF_TYPE_GSTATUS,
	WF_TYPE_PSTATUS,
} wf_type;

typedef enum wf_experiment { WF_EXP_NONE, WF_EXP_ALLOC_FREE, WF_EXP_COUNT } wf_experiment;

enum { WF_ARGS_MAX = 5 }; /* of any event, dt included */

typedef struct wf_spec {
	const char *name;       /* Go's spelling; NULL for numbers that are no event */
	uint8_t     since;      /* first header version */
	uint8_t     cls;        /* wf_class */
	uint8_t     begin;      /* event whose range this one ends or continues; WF_EV_NONE */
	uint8_t     experiment; /* wf_experiment */
	uint8_t     n_args;
	struct {
		const char *name;
		uint8_t     type;   /* wf_type */
	} args[WF_ARGS_MAX + 1];
} wf_spec;

extern const wf_spec wf_specs[256];

/* The event of that name, or WF_EV_NONE. */
uint8_t wf_event_by_name(const char *name, unsigned n);

/* v1 events. */
typedef enum wf_v1_number {
#define V1(no, Name, since, cls, n, stk) WF_V1_##Name = no,
#include "fmt/v1events.def"
	WF_V1_COUNT
} wf_v1_number;

typedef enum wf_v1_class {
	WF_V1_UNTIMED,
	WF_V1_FREE,
	WF_V1_GC,
	WF_V1_CREATE,
	WF_V1_INITIAL,
	WF_V1_START,
	WF_V1_BLOCK,
	WF_V1_YIELD,
	WF_V1_UNBLOCK,
	WF_V1_SAMPLE,
} wf_v1_class;

typedef struct wf_v1_spec {
	const char *name; /* NULL for numbers that are no event */
	uint8_t     since, cls, n_args;
	bool        has_stack;
} wf_v1_spec;

extern const wf_v1_spec wf_v1_specs[64];

#endif
