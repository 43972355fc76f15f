/* base/sort.h - numbers in order, faster than by comparing them. */
#ifndef WB_SORT_H
#define WB_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Puts `n` numbers in order, least first.  `room` is for as many again, and holds nothing of use afterwards. */
void wb_sort_i64(int64_t *at, size_t n, int64_t *room);

#endif
