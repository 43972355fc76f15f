/* base/sort.h - numbers in order, faster than by comparing them. */
#ifndef WB_SORT_H
#define WB_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Puts `n` numbers in order, least first.  Takes as much memory again; false: it is not there, and nothing changed. */
bool wb_sort_i64(int64_t *at, size_t n);

#endif
