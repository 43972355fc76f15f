/* an/waits.h - what goroutines wait for, kept as changes: see wtr/waits.h. */
#ifndef AN_WAITS_H
#define AN_WAITS_H

#include <wtr/waits.h>

#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"

/* From a time on a goroutine, when it waits, waits for something else. */
typedef struct an_change {
	int64_t time_ns;
	uint32_t set;
} an_change;

typedef WB_VEC(an_change) an_changes;

/* Objects that are waited for together; set 0 is none. */
typedef struct an_wait_set {
	uint32_t first, n; /* in objects and rows */
} an_wait_set;

struct wtr_waits {
	WB_VEC(an_wait_set) sets;
	WB_VEC(wtr_object) objects;
	WB_VEC(wtr_waited) waited;
	WB_VEC(wtr_held) held;
	wb_intern names;
	wb_idmap goroutines; /* id -> changes */
	WB_VEC(an_changes) changes;
};

#endif
