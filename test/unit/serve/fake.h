/* A small trace that never was, for the server's tests: 2 procs, 2 threads, 3 groups with 6 goroutines, metrics. */
#ifndef FAKE_H
#define FAKE_H

#include "serve/site.h"

#define FAKE_START_NS 5000
#define FAKE_END_NS   1005000

/* A site that listens on nothing, as if on 127.0.0.1:6060; model may be NULL (still loading). */
void fake_site(ws_site *site, ws_model *m);
void fake_site_done(ws_site *site);
bool fake_model(ws_model *m);
void fake_model_done(ws_model *m);

/* What fake tiles have: run i of lane with `id` begins at 2 * i px. */
size_t fake_run_count(wtr_lane lane, int64_t t0_ns);

#endif
