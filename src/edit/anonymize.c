/* edit/anonymize.c - a trace without the names of its program; see wtr/edit.h and hide.h.
 *
 * The file is gone through record by record, twice: for what its texts are used for, and to write it again.  Nothing
 * but texts is changed, so order, times and stacks stay, and a broken trace stays as broken, except that bytes which
 * are no record are left out: who knows what is in them.
 */
#include <string.h>

#include <wtr/edit.h>

#include "base/alloc.h"
#include "base/idmap.h"
#include "edit/hide_pieces.h"
#include "fmt/events.h"
#include "fmt/rawevent.h"
#include "fmt/wire.h"
#include "read/input.h"
#include "read/source.h"

/* ---- what texts are used for ---- */

typedef struct text {
	const uint8_t *at;
	size_t n;
	uint64_t id;
} text;

/* The texts of one generation (v1: of all) and their uses, by id. */
typedef struct survey {
	we_hide *hide;
	bool v1, failed;
	uint64_t gen;
	wb_idmap uses; /* id -> uses */
	WB_VEC(text) texts;
	WB_VEC(uint64_t) frames; /* func, file, ... */
	wb_idmap text_of;        /* id -> place in texts */
	we_hide_pieces pieces;
} survey;

static void use(survey *s, uint64_t id, unsigned uses)
{
	uint32_t before = wb_idmap_get(&s->uses, id);
	s->failed |= !wb_idmap_set(&s->uses, id, (before == WB_IDMAP_NONE ? 0 : before) | uses);
}

static bool is_std(const survey *s, uint64_t func)
{
	uint32_t i = wb_idmap_get(&s->text_of, func);
	return i != WB_IDMAP_NONE && we_is_std((const char *)s->texts.at[i].at, s->texts.at[i].n);
}

/* The generation has been seen: its ids become texts. */
static void settle(survey *s)
{
	for (size_t i = 0; i + 1 < s->frames.n; i += 2) {
		use(s, s->frames.at[i], WE_USE_FUNC);
		use(s, s->frames.at[i + 1], is_std(s, s->frames.at[i]) ? WE_USE_STD_FILE : WE_USE_FILE);
	}
	for (size_t i = 0; i < s->texts.n; i++) {
		uint32_t uses = wb_idmap_get(&s->uses, s->texts.at[i].id);
		if (uses != WB_IDMAP_NONE)
			we_hide_use(s->hide, s->texts.at[i].at, s->texts.at[i].n, uses);
	}
	wb_idmap_free(&s->uses);
	wb_idmap_free(&s->text_of);
	s->uses = s->text_of = (wb_idmap){ 0 };
	s->texts.n = s->frames.n = 0;
	we_hide_pieces_reset(&s->pieces);
}

static void survey_frames(survey *s, const wf_raw_event *e)
{
	wb_bytes b = e->frames;
	while (b.at < b.end && !b.bad) {
		wb_uvarint(&b);
		uint64_t func = wb_uvarint(&b), file = wb_uvarint(&b);
		wb_uvarint(&b);
		s->failed |= !wb_vec_add(&s->frames, func) || !wb_vec_add(&s->frames, file);
	}
}

static unsigned v2_use(uint8_t type)
{
	switch (type) {
	case WF_EV_GO_STOP:
	case WF_EV_GO_BLOCK:
	case WF_EV_STW_BEGIN: return WE_USE_RUNTIME;
	case WF_EV_GO_LABEL: return WE_USE_LABEL;
	default: return WE_USE_SAID;
	}
}

static void survey_args(survey *s, const wf_raw_event *e)
{
	if (s->v1) { /* ends of names in v1args.def say which are strings */
		for (unsigned i = 0; i < e->n_args; i++) {
			const char *name = wf_v1_arg_name(e->type, i);
			if (name && strstr(name, "_string"))
				use(s, e->arg[i].value, e->type == WF_V1_GoStartLabel ? WE_USE_LABEL : WE_USE_SAID);
		}
		return;
	}
	for (unsigned i = 0; i < e->n_args; i++)
		if (wf_specs[e->type].args[i].type == WF_TYPE_STRING)
			use(s, e->arg[i].value, v2_use(e->type));
}

static void survey_event(survey *s, const wf_raw_event *e)
{
	if (!s->v1 && (e->type == WF_EV_EVENT_BATCH) && e->arg[0].value != s->gen) {
		settle(s);
		s->gen = e->arg[0].value;
	}
	if (!s->v1 && e->type == WF_EV_STRING && we_is_piece(e->data, e->n_data)) {
		we_hide_piece(&s->pieces, s->hide, e->data, e->n_data, NULL);
	} else if (e->type == (s->v1 ? WF_V1_String : (unsigned)WF_EV_STRING)) {
		s->failed |= !wb_idmap_set(&s->text_of, e->arg[0].value, (uint32_t)s->texts.n) ||
			     !wb_vec_add(&s->texts, (text){ e->data, e->n_data, e->arg[0].value });
	} else if (e->is_stack) {
		survey_frames(s, e);
	} else {
		survey_args(s, e);
	}
}

static bool look(const uint8_t *at, size_t n, we_hide *hide)
{
	survey s = { .hide = hide };
	wf_raw_reader r;
	wf_raw_event e;
	wf_raw_result got;
	if (!wf_raw_open(&r, at, n, false))
		return true;
	s.v1 = wf_version_is_v1(r.version);
	while ((got = wf_raw_next(&r, &e)) != WF_RAW_END)
		if (got == WF_RAW_EVENT)
			survey_event(&s, &e);
	settle(&s);
	wb_vec_free(&s.texts);
	wb_vec_free(&s.frames);
	return !s.failed && !s.pieces.failed && !we_hide_failed(hide);
}

/* ---- writing ---- */

typedef struct scribe {
	we_hide *hide;
	wtr_write_fn *put;
	void *user;
	const uint8_t *base;
	bool v1, stopped, failed;
	wb_buf head, data, text; /* of the batch, and one text */
	wf_varint size;          /* of the batch, as it was */
	bool in_batch;
	uint8_t section;
	uint64_t lost, bytes;
	uint64_t gen;
	we_hide_pieces pieces; /* of that generation */
} scribe;

static void give(scribe *s, const wb_buf *b)
{
	s->failed |= b->failed;
	s->bytes += b->n;
	if (!s->stopped && b->n && !s->failed)
		s->stopped = !s->put(s->user, b->at, b->n);
}

static void varint_of(wb_buf *b, uint64_t v, unsigned width)
{
	for (unsigned i = 1; v >= 0x80 || i < width; i++, v >>= 7)
		wb_buf_putc(b, (char)(v | 0x80));
	wb_buf_putc(b, (char)v);
}

/* What has gathered of a batch, behind its head. */
static void give_batch(scribe *s)
{
	if (!s->in_batch)
		return;
	size_t head = s->head.n;
	varint_of(&s->head, s->data.n, s->size.width == 10 ? 10 : 1);
	give(s, &s->head);
	give(s, &s->data);
	s->head.n = head;
	s->data.n = 0;
}

static void begin_batch(scribe *s, const wf_raw_event *e)
{
	give_batch(s);
	if (e->arg[0].value != s->gen)
		we_hide_pieces_reset(&s->pieces);
	s->gen = e->arg[0].value;
	s->in_batch = true;
	s->size = e->arg[3];
	s->head.n = 0;
	wb_buf_put(&s->head, s->base + e->offset, e->bytes - e->arg[3].width);
}

/* The name of one type of the alloc/free experiment: id, address, size, pointer bytes, length, name. */
static bool put_type(scribe *s, wb_bytes *b, wb_buf *out)
{
	const uint8_t *from = b->at;
	for (int i = 0; i < 4; i++)
		wb_uvarint(b);
	const uint8_t *to = b->at;
	uint64_t n = wb_uvarint(b);
	if (b->bad || n > (uint64_t)(b->end - b->at))
		return false;
	s->text.n = 0;
	we_hide_put_type(s->hide, b->at, (size_t)n, &s->text);
	wb_buf_put(out, from, (size_t)(to - from));
	varint_of(out, s->text.n, 1);
	wb_buf_put(out, s->text.at, s->text.n);
	b->at += n;
	return true;
}

static void put_experimental(scribe *s, const wf_raw_event *e)
{
	wb_buf out = { 0 };
	wb_bytes b = { e->data, e->data + e->n_data, false };
	wb_buf_put(&out, e->data, e->n_data ? 1 : 0);
	if (wb_byte(&b) != 0) /* not a table of types: numbers only */
		wb_buf_put(&out, e->data + (e->n_data != 0), e->n_data - (e->n_data != 0));
	else
		while (b.at < b.end && put_type(s, &b, &out)) {
		}
	give_batch(s);
	s->in_batch = false;
	s->head.n = 0;
	wb_buf_put(&s->head, s->base + e->offset, (size_t)(e->data - (s->base + e->offset)) - e->data_width);
	varint_of(&s->head, out.n < WF_BATCH_BYTES_MAX ? out.n : 1, e->data_width == 10 ? 10 : 1);
	give(s, &s->head);
	out.n = out.n < WF_BATCH_BYTES_MAX ? out.n : 1;
	give(s, &out);
	wb_buf_free(&out);
}

static void put_text(scribe *s, const wf_raw_event *e, wb_buf *to)
{
	s->text.n = 0;
	if (!s->v1 && we_is_piece(e->data, e->n_data))
		we_hide_piece(&s->pieces, s->hide, e->data, e->n_data, &s->text);
	else
		we_hide_put(s->hide, e->data, e->n_data, &s->text);
	size_t n = s->text.n < WF_STRING_BYTES_MAX ? s->text.n : WF_STRING_BYTES_MAX;
	wb_buf_put(to, s->base + e->offset, (size_t)(e->data - (s->base + e->offset)) - e->data_width);
	varint_of(to, n, e->data_width);
	wb_buf_put(to, s->text.at, n);
}

static void put_v2(scribe *s, const wf_raw_event *e)
{
	if (e->type == WF_EV_EVENT_BATCH) {
		begin_batch(s, e);
		return;
	}
	if (e->type == WF_EV_EXPERIMENTAL_BATCH) {
		put_experimental(s, e);
		return;
	}
	if (e->type == WF_EV_END_OF_GENERATION) {
		give_batch(s);
		s->in_batch = false;
		s->data.n = 0;
		wb_buf_putc(&s->data, WF_EV_END_OF_GENERATION);
		give(s, &s->data);
		s->data.n = 0;
		return;
	}
	if (e->type != WF_EV_STRING) {
		wb_buf_put(&s->data, s->base + e->offset, e->bytes);
		return;
	}
	if (s->data.n + WF_STRING_BYTES_MAX + 64 > WF_BATCH_BYTES_MAX) { /* new texts may be longer than the old ones */
		give_batch(s);
		wb_buf_putc(&s->data, WF_EV_STRINGS);
	}
	put_text(s, e, &s->data);
}

static void put_v1(scribe *s, const wf_raw_event *e)
{
	if (e->has_data)
		put_text(s, e, &s->data);
	else
		wb_buf_put(&s->data, s->base + e->offset, e->bytes);
	if (s->data.n >= WF_BATCH_BYTES_MAX) {
		give(s, &s->data);
		s->data.n = 0;
	}
}

static void write_all(scribe *s, const uint8_t *at, size_t n)
{
	wf_raw_reader r;
	wf_raw_event e;
	wf_raw_result got;
	if (!wf_raw_open(&r, at, n, false))
		return;
	s->v1 = wf_version_is_v1(r.version);
	wb_buf_put(&s->data, at, WF_HEADER_BYTES);
	give(s, &s->data);
	s->data.n = 0;
	while ((got = wf_raw_next(&r, &e)) != WF_RAW_END && !s->stopped && !s->failed) {
		if (got == WF_RAW_BROKEN)
			s->lost += r.broken_end - r.broken_at;
		else if (s->v1)
			put_v1(s, &e);
		else
			put_v2(s, &e);
	}
	if (s->v1)
		give(s, &s->data);
	else
		give_batch(s);
}

static wtr_code anonymize(const wtr_trace *t, wtr_write_fn *put, void *user, wtr_anonymize_result *ret, wtr_error *err)
{
	wf_raw_reader r;
	if (!wf_raw_open(&r, t->at, t->n, false))
		return wtr__fail(err, r.version ? WTR_E_VERSION : WTR_E_MAGIC, 0, 0, WTR_NONE, "", "header", "%s",
			t->n ? r.why : "the file is empty");
	scribe s = { .hide = we_hide_new(), .put = put, .user = user, .base = t->at };
	bool known = s.hide && look(t->at, t->n, s.hide);
	if (known)
		write_all(&s, t->at, t->n);
	bool ok = known && !s.failed && !s.pieces.failed && !we_hide_failed(s.hide);
	we_hide_pieces_reset(&s.pieces);
	wb_buf_free(&s.head);
	wb_buf_free(&s.data);
	wb_buf_free(&s.text);
	we_hide_free(s.hide);
	if (s.stopped)
		return wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "output", "the output could not be written");
	if (!ok)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	if (ret)
		*ret = (wtr_anonymize_result){ .bytes = s.bytes, .lost_bytes = s.lost };
	return WTR_OK;
}

wtr_code wtr_anonymize(const char *path, const wtr_options *opt, wtr_write_fn *put, void *user,
	wtr_anonymize_result *ret, wtr_error *err)
{
	wtr_trace t = { .opt = opt ? *opt : (wtr_options){ 0 },
		.compression = "none",
		.map.at = (const uint8_t *)"",
		.at = (const uint8_t *)"" };
	wtr_code rc = wtr__input_path(&t, path, err);
	if (rc == WTR_OK)
		rc = anonymize(&t, put, user, ret, err);
	wo_unmap(&t.map);
	return rc;
}
