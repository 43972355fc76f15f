/* rt/sched/labels.h - labels of goroutines: sets of pairs of texts, shared by who has inherited them.
 *
 * A set never changes; a goroutine's labels change by another set.  Who looks at other goroutines' sets, or keeps one
 * that a signal handler has seen, holds them all meanwhile (weft__labels_hold): then sets that nobody has any more
 * stay where they are until the last one lets go.  Of the hold and the exchange of a goroutine's set, both fully
 * ordered, at least one sees the other: who drops a set and sees no hold has taken it away before the holder looked.
 */
#ifndef WEFT__LABELS_H
#define WEFT__LABELS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct weft__label {
	const char *key, *value;
} weft__label;

typedef struct weft__labels {
	_Atomic uint32_t refs;
	uint32_t n;
	uint64_t id;               /* never used again; not 0 */
	struct weft__labels *next; /* nobody's */
	weft__label pairs[];       /* in order of their keys; the texts follow */
} weft__labels;

enum { WEFT__LABEL_BYTES_MAX = 255 };

/* `base` (or NULL) with one pair more, or another value, or, value NULL, without the key; *ret NULL: no labels are
 * left. 0, -ENOMEM, -E2BIG: too many. */
int weft__labels_with(const weft__labels *base, const char *key, const char *value, weft__labels **ret);

weft__labels *weft__labels_ref(weft__labels *l); /* NULL is fine */
void weft__labels_unref(weft__labels *l);        /* NULL is fine */

/* "key=value key=value" in at most n bytes, cut there: how many. */
size_t weft__labels_text(const weft__labels *l, char *ret, size_t n);

void weft__labels_hold(void);
void weft__labels_release(void);
/* For a holder that goes on: takes the sets that nobody has any more and no other holder can know of.  When it has done
 * with what it knew, weft__labels_free. */
weft__labels *weft__labels_take_dropped(void);
void weft__labels_free(weft__labels *list);

#endif
