/* edit/rewrite.h - traces read in order and written again: what cutting, repairing and joining have in common. */
#ifndef WE_REWRITE_H
#define WE_REWRITE_H

#include <wtr/edit.h>

/* What to read: one trace, or several that follow on each other. */
typedef struct we_part {
	wtr_trace *t;
	size_t first; /* generation to begin with */
} we_part;

typedef struct we_job {
	const we_part *parts;
	size_t n_parts;
	const wtr_cut_options *cut;
	bool one_before; /* parts[0].first is the generation before that of the beginning, which may do without it */
	bool whole; /* goroutines may turn up anywhere: look through everything for what the beginning needs */
	wtr_write_fn *put;
	void *user;
} we_job;

/* Errors: E_IO, E_NOMEM, E_USAGE.  What ended the reading early stands in ret->end. */
wtr_code we_rewrite(const we_job *job, wtr_edit_result *ret, wtr_error *err);

#endif
