/* read/tables.c - see tables.h. */
#include "read/tables.h"

#include <string.h>

bool wtr__tables_init(wtr__tables *tb, uint32_t string_base, uint32_t stack_base)
{
	*tb = (wtr__tables){ .string_base = string_base, .stack_base = stack_base };
	return wb_vec_add(&tb->strings, (wtr_str){ "", 0 }) && wb_vec_add(&tb->stacks, (wtr__stack){ 0 }) &&
	       wb_idmap_set(&tb->string_ids, 0, 0) && wb_idmap_set(&tb->stack_ids, 0, 0);
}

void wtr__tables_free(wtr__tables *tb)
{
	wb_idmap_free(&tb->string_ids);
	wb_idmap_free(&tb->stack_ids);
	wb_idmap_free(&tb->pcs);
	wb_vec_free(&tb->strings);
	wb_vec_free(&tb->stacks);
	wb_vec_free(&tb->frames);
	wb_vec_free(&tb->frame_of);
}

wtr_code wtr__tables_add_string(wtr__tables *tb, uint64_t wire_id, const char *at, size_t n)
{
	if (wtr__string_id(tb, wire_id) != WTR__UNKNOWN)
		return WTR_E_FORMAT;
	if (!wb_vec_reserve(&tb->strings, 1) ||
		!wb_idmap_set(&tb->string_ids, wire_id, tb->string_base + (uint32_t)tb->strings.n))
		return WTR_E_NOMEM;
	tb->strings.at[tb->strings.n++] = (wtr_str){ at, n };
	return WTR_OK;
}

wtr_code wtr__tables_add_stack(wtr__tables *tb, uint64_t wire_id, const wtr__frame *frames, size_t n)
{
	if (wtr__stack_id(tb, wire_id) != WTR__UNKNOWN)
		return WTR_E_FORMAT;
	if (!wb_vec_reserve(&tb->stacks, 1) || !wb_vec_reserve(&tb->frame_of, n))
		return WTR_E_NOMEM;
	uint32_t first = (uint32_t)tb->frame_of.n;
	for (size_t i = 0; i < n; i++) {
		uint32_t f = wb_idmap_get(&tb->pcs, frames[i].pc);
		if (f == WB_IDMAP_NONE) {
			f = (uint32_t)tb->frames.n;
			if (!wb_vec_reserve(&tb->frames, 1) || !wb_idmap_set(&tb->pcs, frames[i].pc, f)) {
				tb->frame_of.n = first;
				return WTR_E_NOMEM;
			}
			tb->frames.at[tb->frames.n++] = frames[i];
		}
		tb->frame_of.at[tb->frame_of.n++] = f;
	}
	if (!wb_idmap_set(&tb->stack_ids, wire_id, tb->stack_base + (uint32_t)tb->stacks.n))
		return WTR_E_NOMEM;
	tb->stacks.at[tb->stacks.n++] = (wtr__stack){ first, (uint32_t)n };
	return WTR_OK;
}

/* Makes one string reference local; false when there is no such string. */
static bool localize(const wtr__tables *tb, uint64_t *id)
{
	uint32_t i = wtr__string_id(tb, *id);
	*id = i == 0 || i == WTR__UNKNOWN ? 0 : i - tb->string_base;
	return i != WTR__UNKNOWN;
}

wtr_code wtr__tables_finish(wtr__tables *tb, bool forgive, uint64_t *ret_stack, uint64_t *ret_string)
{
	/* Frames hold wire ids and a stack is refused for its first unknown one, so look before anything is changed. */
	for (size_t s = 1; !forgive && s < tb->stacks.n; s++)
		for (uint32_t i = 0; i < tb->stacks.at[s].n; i++) {
			wtr__frame f = tb->frames.at[tb->frame_of.at[tb->stacks.at[s].first + i]];
			uint64_t func = f.func, file = f.file;
			bool bad_func = !localize(tb, &func);
			if (bad_func || !localize(tb, &file)) {
				*ret_stack = s;
				*ret_string = bad_func ? f.func : f.file;
				return WTR_E_FORMAT;
			}
		}
	for (size_t i = 0; i < tb->frames.n; i++) {
		localize(tb, &tb->frames.at[i].func);
		localize(tb, &tb->frames.at[i].file);
	}
	wb_idmap_free(&tb->pcs); /* only needed while building */
	return WTR_OK;
}

wtr_str wtr__tables_string(const wtr__tables *tb, uint32_t local)
{
	return local < tb->strings.n ? tb->strings.at[local] : (wtr_str){ "", 0 };
}

size_t wtr__tables_stack(const wtr__tables *tb, uint32_t local, wtr_frame *ret, size_t n)
{
	if (local >= tb->stacks.n)
		return 0;
	wtr__stack s = tb->stacks.at[local];
	for (uint32_t i = 0; i < s.n && i < n; i++) {
		const wtr__frame *f = &tb->frames.at[tb->frame_of.at[s.first + i]];
		ret[i] = (wtr_frame){
			.pc = f->pc, .line = f->line, .func = tb->strings.at[f->func], .file = tb->strings.at[f->file]
		};
	}
	return s.n;
}
