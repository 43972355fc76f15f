/* What src/an does not have yet. */
#include <wtr/report.h>
#define WEAK __attribute__((weak))
WEAK bool wtr_span_at(const wtr_index *x, wtr_lane lane, int64_t time_ns, wtr_span *ret) { (void)x;(void)lane;(void)time_ns;(void)ret; return false; }
WEAK bool wtr_span_step(const wtr_index *x, wtr_lane lane, int64_t time_ns, int d, wtr_span *ret) { (void)x;(void)lane;(void)time_ns;(void)ret;(void)d; return false; }
WEAK bool wtr_counts(const wtr_index *x, int64_t group, int64_t t0_ns, int64_t step_ns, size_t n, float *ret) {(void)x;(void)group;(void)t0_ns;(void)step_ns;(void)n;(void)ret; return false; }
WEAK size_t wtr_tile(const wtr_index *x, wtr_lane lane, int64_t t0_ns, unsigned zoom, unsigned width_px, wtr_run *ret, size_t n){(void)x;(void)lane;(void)t0_ns;(void)zoom;(void)width_px;(void)ret;(void)n;return 0;}
WEAK size_t wtr_group_goroutines(const wtr_index *x, uint32_t group, size_t first, uint32_t *ret, size_t n){(void)x;(void)group;(void)first;(void)ret;(void)n;return 0;}
