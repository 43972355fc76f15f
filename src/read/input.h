/* read/input.h - from a path, a pipe or bytes to the plain bytes of a trace. */
#ifndef WTR_READ_INPUT_H
#define WTR_READ_INPUT_H

#include "read/trace.h"

/* Fills t->at, n, map, file_bytes and compression from a file ("-": standard input) or from bytes. */
wtr_code wtr__input_path(wtr_trace *t, const char *path, wtr_error *err);
/* The same without inflating. */
wtr_code wtr__input_raw(wtr_trace *t, const char *path, wtr_error *err);
wtr_code wtr__input_bytes(wtr_trace *t, const void *at, size_t n, wtr_error *err);

#endif
