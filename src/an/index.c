/* an/index.c - asking a finished index: totals, tables, columns, rows. */
#include "an/index.h"

#include <stddef.h>

#include "base/alloc.h"

/* The columns of each table, and where they stand in a row. */
#define TABLE(ID, name, part, doc) static const wtr_column name##_columns[] = {
#define COL(type, name, unit, doc) { #name, unit, doc, WTR_COL_##type, NULL, 0 },
#define END(ID, name) };
#include <wtr/tables.def>

#define TABLE(ID, name, part, doc)               \
	static size_t name##_offset(size_t i)    \
	{                                        \
		typedef wtr_##name##_row row;    \
		static const size_t at[] = {
#define COL(type, name, unit, doc) offsetof(row, name),
#define END(ID, name) };                         \
		return at[i];                    \
	}
#include <wtr/tables.def>

static const struct {
	const char       *name, *doc;
	size_t            row_bytes, n_columns;
	const wtr_column *columns;
	size_t          (*offset)(size_t column);
} descs[WTR_TABLE_COUNT] = {
#define N(array) (sizeof(array) / sizeof(array[0]))
#define TABLE(ID, name, part, doc) \
	{ #name, doc, sizeof(wtr_##name##_row), N(name##_columns), name##_columns, name##_offset },
#define COL(type, name, unit, doc)
#define END(ID, name)
#include <wtr/tables.def>
#undef N
};

const char *wtr_table_name(unsigned table, const char **ret_doc)
{
	if (table >= WTR_TABLE_COUNT)
		return NULL;
	if (ret_doc)
		*ret_doc = descs[table].doc;
	return descs[table].name;
}

size_t wtr_table_rows(const wtr_index *x, wtr_table table)
{
	return (unsigned)table < WTR_TABLE_COUNT ? x->tables[table].n : 0;
}

const void *wtr_table_data(const wtr_index *x, wtr_table table)
{
	return wtr_table_rows(x, table) ? x->tables[table].rows : NULL;
}

size_t wtr_columns(const wtr_index *x, wtr_table table, wtr_column *ret, size_t n)
{
	if ((unsigned)table >= WTR_TABLE_COUNT)
		return 0;
	const char *rows = wtr_table_data(x, table);
	for (size_t i = 0; i < n && i < descs[table].n_columns; i++) {
		ret[i] = descs[table].columns[i];
		ret[i].first = rows ? rows + descs[table].offset(i) : NULL;
		ret[i].stride_bytes = descs[table].row_bytes;
	}
	return descs[table].n_columns;
}

void wtr_get_totals(const wtr_index *x, wtr_totals *ret)
{
	*ret = x->totals;
}

const wtr_goroutine_row *wtr_goroutine(const wtr_index *x, int64_t id)
{
	uint32_t i = id == WTR_NONE ? WB_IDMAP_NONE : wb_idmap_get(&x->goroutine_rows, (uint64_t)id);
	const wtr_goroutine_row *rows = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	return i == WB_IDMAP_NONE || !rows ? NULL : &rows[i];
}

uint32_t wtr_goroutine_wait(const wtr_index *x, int64_t id)
{
	uint32_t wait = id == WTR_NONE ? WB_IDMAP_NONE : wb_idmap_get(&x->final_waits, (uint64_t)id);
	return wait == WB_IDMAP_NONE ? 0 : wait;
}

const char *wtr_class_name(unsigned cls)
{
	static const char *const names[] = {
#define NAME(ID, name, doc) name,
		WTR_CLASSES(NAME)
#undef NAME
	};
	return cls < WTR_CLASS_COUNT ? names[cls] : "bad";
}

void wtr_index_free(wtr_index *x)
{
	if (!x)
		return;
	an_lanes_free(x->lanes);
	wb_free(x->notes);
	wb_free(x->first_note);
	for (size_t i = 0; i < WTR_TABLE_COUNT; i++)
		wb_free(x->tables[i].rows);
	wb_idmap_free(&x->goroutine_rows);
	wb_idmap_free(&x->final_waits);
	wb_intern_free(&x->texts);
	wb_arena_free(&x->arena);
	wb_free(x);
}
