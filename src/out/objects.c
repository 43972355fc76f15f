/* out/objects.c - see objects.h. */
#include "out/objects.h"

#include <stdio.h>

#include "out/units.h"

/* ---- text ---- */

static void put_name(wb_buf *b, unsigned kind, uint64_t id, uint64_t attr, wtr_str name)
{
	wb_buf_puts(b, wtr_object_name(kind));
	if (kind == WTR_OBJECT_FD)
		wb_buf_printf(b, " %llu", (unsigned long long)attr);
	else if (name.n == 0)
		wb_buf_printf(b, " 0x%llx", (unsigned long long)id);
	if (name.n == 0)
		return;
	wb_buf_puts(b, " '");
	out_clean(b, name.at, name.n);
	wb_buf_putc(b, '\'');
}

void out_object(wb_buf *b, const wtr_object *o)
{
	put_name(b, o->kind, o->id, o->attr, o->name);
	if (o->kind != WTR_OBJECT_CHAN)
		return;
	if (o->attr == 0)
		wb_buf_puts(b, o->send ? " (unbuffered, nobody receives)" : " (unbuffered, nobody sends)");
	else
		wb_buf_printf(b, " (cap %llu, %s)", (unsigned long long)o->attr, o->send ? "full" : "empty");
}

void out_waited(wb_buf *b, const wtr_waited *w)
{
	put_name(b, w->kind, w->id, w->attr, w->name);
	if (w->kind == WTR_OBJECT_CHAN && w->attr == 0)
		wb_buf_puts(b, " (unbuffered)");
	else if (w->kind == WTR_OBJECT_CHAN)
		wb_buf_printf(b, " (cap %llu)", (unsigned long long)w->attr);
}

void out_wait(wb_buf *b, const wtr_object *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			wb_buf_puts(b, " or ");
		out_object(b, &o[i]);
		if (o[i].holder != WTR_NONE)
			wb_buf_printf(b, ", held by G%lld", (long long)o[i].holder);
	}
}

/* ---- JSON ---- */

void out_object_id_json(out_json *j, unsigned kind, uint64_t id, uint64_t attr, wtr_str name)
{
	char text[24];
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)id);
	out_json_put_text(j, "kind", wtr_object_name(kind));
	out_json_put_text(j, "id", text);
	if (name.n)
		out_json_put_str(j, "name", name);
	if (kind == WTR_OBJECT_CHAN)
		out_json_put_u64(j, "capacity", attr);
	if (kind == WTR_OBJECT_FD)
		out_json_put_u64(j, "number", attr);
}

void out_objects_json(out_json *j, const wtr_object *o, size_t n)
{
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		out_json_object(j);
		out_object_id_json(j, o[i].kind, o[i].id, o[i].attr, o[i].name);
		if (o[i].kind == WTR_OBJECT_CHAN)
			out_json_put_text(j, "waits_to", o[i].send ? "send" : "receive");
		if (o[i].kind == WTR_OBJECT_MUTEX || o[i].kind == WTR_OBJECT_RWMUTEX)
			out_json_put_id(j, "holder", o[i].holder);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}
