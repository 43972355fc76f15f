/* rt/tr/window.c - see window.h. */
#include "rt/tr/window.h"

#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"

void weft__tr_window_add(weft__tr_window *w, const void *at, size_t n)
{
	if (w->max_bytes)
		wb_buf_put(&w->current, at, n);
}

static void let_go(weft__tr_window_gen *g)
{
	if (atomic_fetch_sub(&g->n_keepers, 1) > 1)
		return;
	wb_buf_free(&g->bytes);
	wb_free(g);
}

static void drop_oldest(weft__tr_window *w, size_t n)
{
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		w->bytes -= w->gens[i]->bytes.n;
		let_go(w->gens[i]);
	}
	memmove(w->gens, w->gens + n, (w->n - n) * sizeof(*w->gens));
	w->n -= n;
}

static bool too_much(const weft__tr_window *w, size_t i, size_t bytes, int64_t now_ns)
{
	return bytes > w->max_bytes || (w->max_ns > 0 && now_ns - w->gens[i]->end_ns > w->max_ns);
}

static bool add_current(weft__tr_window *w, int64_t now_ns)
{
	if (w->current.failed || !(w->n < w->cap || wb_vec_grow((void **)&w->gens, &w->cap, w->n, 1, sizeof(*w->gens))))
		return false;
	weft__tr_window_gen *g = wb_malloc(sizeof(*g));
	if (!g)
		return false;
	*g = (weft__tr_window_gen){ .n_keepers = 1, .bytes = w->current, .end_ns = now_ns };
	w->gens[w->n++] = g;
	w->bytes += w->current.n;
	w->current = (wb_buf){ 0 };
	return true;
}

bool weft__tr_window_end(weft__tr_window *w, int64_t now_ns)
{
	if (!w->max_bytes)
		return true;
	if (!add_current(w, now_ns)) {
		wb_buf_free(&w->current);
		drop_oldest(w, w->n);
		return false;
	}
	size_t old = 0, bytes = w->bytes;
	for (; old + 1 < w->n && too_much(w, old, bytes, now_ns); old++)
		bytes -= w->gens[old]->bytes.n;
	drop_oldest(w, old);
	return true;
}

void weft__tr_window_free(weft__tr_window *w)
{
	drop_oldest(w, w->n);
	wb_buf_free(&w->current);
	wb_free(w->gens);
	*w = (weft__tr_window){ 0 };
}

bool weft__tr_window_keep(const weft__tr_window *w, weft__tr_kept *ret)
{
	weft__tr_window_gen **gens = wb_malloc((w->n + !w->n) * sizeof(*gens));
	if (!gens)
		return false;
	for (size_t i = 0; i < w->n; i++) {
		gens[i] = w->gens[i];
		atomic_fetch_add(&gens[i]->n_keepers, 1);
	}
	*ret = (weft__tr_kept){ gens, w->n };
	return true;
}

void weft__tr_kept_free(weft__tr_kept *k)
{
	for (size_t i = 0; i < k->n; i++)
		let_go(k->gens[i]);
	wb_free(k->gens);
	*k = (weft__tr_kept){ 0 };
}
