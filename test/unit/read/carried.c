/* What docs/carrier.md says, read; and that nothing is believed behind what breaks its rules. */
#include "reader.h"

#define HEAD                                                                              \
	"Trace Go1.26\nEventBatch gen=1 m=-1 time=100\nSync\nFrequency freq=1000000000\n" \
	"ClockSnapshot dt=1 mono=99 sec=5 nsec=7\nEventBatch gen=1 m=7 time=100\nProcStatus dt=1 p=0 pstatus=1\n"
#define STATUS "GoStatus dt=1 g=1 m=7 gstatus=2\nGoStatus dt=1 g=2 m=-1 gstatus=1\n"
/* One wait of goroutine 1, n-th (from 1). */
#define BLOCK(seq, next)                                                                   \
	"GoBlock dt=1 reason_string=1 stack=0\nGoUnblock dt=1 g=1 g_seq=" seq " stack=0\n" \
	"GoStart dt=1 g=1 g_seq=" next "\n"
#define BLOCKS          STATUS BLOCK("1", "2") BLOCK("3", "4") BLOCK("5", "6") BLOCK("7", "8")
#define STRINGS         "EventBatch gen=1 m=-1 time=100\nStrings\nString id=1\n\tdata=\"chan send\"\n"
#define PIECE(id, text) "String id=" id "\n\tdata=\"\\x00weft" text "\"\n"
#define NO_THREAD       "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x01"
#define END             "EndOfGeneration\n"

enum { WAITS = 8 };

typedef struct seen {
	size_t n;
	size_t n_objects[WAITS];
	wtr_object first[WAITS], second[WAITS];
	char names[WAITS][8]; /* of the first */
	uint64_t ignored, left, stalls;
	bool taken;
	char labels[64];
} seen;

static void count(void *user, const char *name, wtr_severity severity, uint64_t n, const char *text)
{
	seen *s = user;
	(void)severity;
	assert_true(*text);
	s->ignored += strcmp(name, "carrier-ignored") == 0 ? n : 0;
	s->left += strcmp(name, "carrier-left") == 0 ? n : 0;
	s->stalls += strcmp(name, "stalls") == 0 ? n : 0;
}

static void see(seen *s, const wtr_trace *t, const wtr_event *e)
{
	s->taken |= e->wait == WTR_PROC_TAKEN;
	if (wtr_to(e) != WTR_G_WAITING || e->resource != WTR_RES_GOROUTINE)
		return;
	wtr_object o[WTR_WAIT_OBJECTS_MAX] = { 0 };
	assert_true(s->n < WAITS);
	s->n_objects[s->n] = wtr_wait_objects(t, e->wait, o, WTR_WAIT_OBJECTS_MAX);
	s->first[s->n] = o[0];
	snprintf(s->names[s->n], sizeof(s->names[0]), "%.*s", (int)o[0].name.n, o[0].name.n ? o[0].name.at : "");
	s->second[s->n++] = o[1];
}

static void see_labels(seen *s, wtr_trace *t)
{
	wtr_kept_label l[4];
	size_t n = wtr_kept_labels(t, 0, l, 4);
	assert_int_equal(wtr_kept_labels(t, 1, l, 4), 0);
	for (size_t i = 0; i < n && i < 4; i++)
		snprintf(s->labels + strlen(s->labels), sizeof(s->labels) - strlen(s->labels), "%lld %.*s;",
			(long long)l[i].g, (int)l[i].label.n, l[i].label.at);
}

/* The trace is sound whatever the pieces say. */
static seen *read_text(const char *text)
{
	static seen s;
	s = (seen){ 0 };
	wb_buf b = assembled(text);
	wtr_trace *t;
	assert_int_equal(wtr_open_bytes(b.at, b.n, &(wtr_options){ .keep_tables = true }, &t, NULL), WTR_OK);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++)
			if (e[i].kind == WTR_KIND_STATE_TRANSITION)
				see(&s, t, &e[i]);
	assert_int_equal(wtr_cursor_error(c)->code, WTR_OK);
	wtr_diag(c, count, &s);
	see_labels(&s, t);
	wtr_cursor_close(c);
	wtr_close(t);
	wb_buf_free(&b);
	return &s;
}

static void waits_are_named(void **state)
{
	(void)state;
	/* As guessed (nothing), a channel of 4, as guessed (the same), a mutex that goroutine 9 holds. */
	seen *s = read_text(HEAD BLOCKS STRINGS PIECE(
		"2", "w\\a\\x00\\x01\\x02\\x05\\x01\\x30\\x04\\x01\\x02\\x06\\x02\\x40\\x00\\x09") END);
	assert_int_equal(s->n, 4);
	assert_int_equal(s->n_objects[0], 0);
	assert_int_equal(s->n_objects[1], 1);
	assert_int_equal(s->first[1].kind, WTR_OBJECT_CHAN);
	assert_int_equal(s->first[1].id, 0x30);
	assert_int_equal(s->first[1].attr, 4);
	assert_int_equal(s->first[1].send, 1); /* the reason says so */
	assert_int_equal(s->first[1].holder, WTR_NONE);
	assert_memory_equal(&s->first[2].id, &s->first[1].id, sizeof(uint64_t));
	assert_int_equal(s->first[3].kind, WTR_OBJECT_MUTEX);
	assert_int_equal(s->first[3].holder, 9);
	assert_int_equal(s->ignored + s->left, 0);
}

static void objects_have_names(void **state)
{
	(void)state;
	/* In the pieces of no thread; the later one of two counts, and one of an object that nobody waits for is fine.
	 */
	seen *s = read_text(HEAD BLOCKS STRINGS PIECE("2", "w\\a\\x00\\x00\\x02\\x05\\x02\\x30\\x00\\x09")
			PIECE("3", "f" NO_THREAD "\\x00\\x06\\x30\\x03old\\x06\\x07\\x01x\\x06\\x30\\x03new") END);
	assert_int_equal(s->n_objects[0], 1);
	assert_int_equal(s->first[0].name.n, 3);
	assert_memory_equal(s->names[0], "new", 3);
	assert_int_equal(s->ignored, 0);
	/* One that is longer than its piece. */
	s = read_text(HEAD BLOCKS STRINGS PIECE("2", "w\\a\\x00\\x00\\x02\\x05\\x02\\x30\\x00\\x09")
			PIECE("3", "f" NO_THREAD "\\x00\\x06\\x30\\x7fold") END);
	assert_int_equal(s->first[0].name.n, 0);
	assert_int_equal(s->ignored, 1);
}

static void several_objects(void **state)
{
	(void)state;
	seen *s =
		read_text(HEAD BLOCKS STRINGS PIECE("2", "w\\a\\x00\\x00\\x01\\x02\\x02\\x02\\x05\\x01\\x30\\x04\\x02\\"
							 "x06\\x01\\x40\\x00\\x00\\x08\\x00\\x01\\x01\\x00\\x09") END);
	assert_int_equal(s->n_objects[0], 2);
	assert_int_equal(s->first[0].send, 0);
	assert_int_equal(s->second[0].send, 1);
	assert_int_equal(s->first[1].id, 0x30); /* slot 5 again, alone */
	assert_int_equal(s->n_objects[2], 1);
	assert_int_equal(s->first[2].id, 0x40);
	assert_int_equal(s->first[2].send, 0);
	assert_int_equal(s->n_objects[3], 1); /* several are guessed, too */
	assert_int_equal(s->first[3].id, 0x40);
}

static void pieces_in_any_order(void **state)
{
	(void)state;
	seen *s = read_text(HEAD BLOCKS STRINGS PIECE("2", "w\\a\\x01\\x00\\x08")
			PIECE("3", "w\\a\\x00\\x00\\x02\\x05\\x01\\x30\\x04") END);
	assert_int_equal(s->first[0].id, 0x30);
	assert_int_equal(s->first[1].id, 0x30);
	assert_int_equal(s->ignored, 0);
}

static void facts(void **state)
{
	(void)state;
	seen *s = read_text(
		HEAD STATUS "GoStatus dt=1 g=3 m=-1 gstatus=4\nGoSyscallBegin dt=1 p_seq=1 stack=0\n" STRINGS PIECE(
			"2", "f\\a\\x00\\x01\\x68\\x01\\x04\\x02\\x03k=v\\x05\\x03\\x02\\x01\\x08\\x50\\x06")
			PIECE("3", "f\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x01\\x00\\x02\\x05\\x64\\x03\\x01\\"
				   "x01\\x7f\\x01") END);
	assert_true(s->taken);
	assert_string_equal(s->labels, "2 k=v;");
	assert_int_equal(s->n, 1);
	assert_int_equal(s->first[0].kind, WTR_OBJECT_FD);
	assert_int_equal(s->first[0].attr, 6);
	assert_int_equal(s->stalls, 5);
	assert_int_equal(s->ignored, 0); /* a kind of fact of a later version */
}

/* A goroutine that is found in a system call which is none; what stands behind is not touched by it. */
static void found_computing(void **state)
{
	(void)state;
#define FOUND "GoStatus dt=1 g=1 m=7 gstatus=3\nGoStatus dt=1 g=2 m=-1 gstatus=1\n"
	assert_true(read_text(HEAD FOUND STRINGS PIECE("2", "f\\a\\x00\\x0d\\x01") END)->taken);
	assert_false(read_text(HEAD FOUND STRINGS PIECE("2", "f\\a\\x00\\x0d\\x03") END)->taken);  /* another */
	assert_false(read_text(HEAD STATUS STRINGS PIECE("2", "f\\a\\x00\\x0d\\x01") END)->taken); /* it runs */
	seen *s = read_text(HEAD FOUND STRINGS PIECE("2", "f\\a\\x00\\x0d\\x01")
			PIECE("3", "f\\a\\x01\\x04\\x02\\x03k=v\\x0d") END);
	assert_true(s->taken);
	assert_string_equal(s->labels, "2 k=v;");
	assert_int_equal(s->ignored, 1); /* without a goroutine */
}

/* Each is wrong in one way behind a good entry: that one is believed, and nothing else. */
static void what_is_wrong_ends_it(void **state)
{
	(void)state;
#define GOOD "w\\a\\x00\\x00\\x02\\x05\\x01\\x30\\x04"
	static const char *const wrong[] = {
		PIECE("2", GOOD "\\x00\\x03"),                            /* an empty slot */
		PIECE("2", GOOD "\\x00\\x43"),                            /* no such slot */
		PIECE("2", GOOD "\\x00\\x02\\x40\\x01\\x30\\x04"),        /* no such slot, to be filled */
		PIECE("2", GOOD "\\x00\\x02\\x05\\x00\\x30\\x04"),        /* no such kind */
		PIECE("2", GOOD "\\x00\\x02\\x05\\x0a\\x30\\x04"),        /* a later kind */
		PIECE("2", GOOD "\\x00\\x02\\x05\\x01\\x30"),             /* cut short */
		PIECE("2", GOOD "\\x00\\x02\\x05\\x02\\x30\\x00"),        /* without a holder */
		PIECE("2", GOOD "\\x00\\x01\\x11\\x00"),                  /* 17 objects */
		PIECE("2", GOOD "\\x00\\x01\\x02\\x00\\x08"),             /* two objects, one there */
		PIECE("2", GOOD "\\x00"),                                 /* no entry */
		PIECE("2", GOOD "\\xff"),                                 /* no number */
		PIECE("2", GOOD) PIECE("3", "w\\a\\x02\\x00\\x00"),       /* piece 1 is missing */
		PIECE("2", GOOD) PIECE("3", "w\\a\\x00\\x00\\x00"),       /* piece 0 is there twice */
		PIECE("2", GOOD) PIECE("3", "f\\a\\x01\\x04\\x02\\x09k"), /* a label that ends behind its piece */
		PIECE("2", GOOD) PIECE("3", "f\\a\\x01\\x01\\x05"),       /* a fact cut short */
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char text[4096];
		snprintf(text, sizeof(text), HEAD BLOCKS STRINGS "%s" END, wrong[i]);
		seen *s = read_text(text);
		if (s->ignored != 1 || s->first[0].id != 0x30 || s->n_objects[1] || s->n_objects[3])
			fail_msg("%zu: %llu ignored, %zu, %zu, %zu objects", i, (unsigned long long)s->ignored,
				s->n_objects[0], s->n_objects[1], s->n_objects[3]);
	}
}

static void no_piece_at_all(void **state)
{
	(void)state;
	seen *s = read_text(
		HEAD BLOCKS STRINGS PIECE("2", "") PIECE("3", "w") PIECE("4", "w\\xff") PIECE("5", "?\\a\\x00abc") END);
	assert_int_equal(s->n_objects[0] + s->n_objects[3], 0);
	assert_int_equal(s->ignored, 2); /* those without a thread; an unknown kind is of a later version */
}

static void entries_without_events(void **state)
{
	(void)state;
	seen *s = read_text(HEAD BLOCKS STRINGS PIECE("2", "w\\a\\x00\\x04\\x02\\x05\\x01\\x30\\x04\\x00\\x08") END);
	assert_int_equal(s->n_objects[3], 0);
	assert_int_equal(s->left, 2);
	s = read_text(HEAD BLOCKS STRINGS PIECE("2", "w\\x08\\x00\\x00\\x02\\x05\\x01\\x30\\x04")
			END); /* of no thread here */
	assert_int_equal(s->n_objects[0], 0);
}

static void ids_that_are_none(void **state)
{
	(void)state;
	wb_buf b = assembled(HEAD BLOCKS STRINGS PIECE("2", "w\\a\\x00\\x00\\x02\\x05\\x01\\x30\\x04") END);
	wtr_trace *t;
	wtr_object o;
	assert_int_equal(wtr_open_bytes(b.at, b.n, NULL, &t, NULL), WTR_OK);
	assert_int_equal(wtr_wait_objects(t, 0, &o, 1), 0);
	assert_int_equal(wtr_wait_objects(t, 2, &o, 1), 0); /* not read yet */
	assert_int_equal(wtr_wait_objects(t, UINT32_MAX - 1, &o, 1), 0);
	assert_int_equal(wtr_wait_objects(t, WTR_PROC_TAKEN, &o, 1), 0);
	assert_false(wtr_names_objects(t));
	wtr_close(t);
	wb_buf_free(&b);
	assert_string_equal(wtr_object_name(WTR_OBJECT_FD), "descriptor");
	assert_string_equal(wtr_object_name(200), "object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_are_named),
		cmocka_unit_test(objects_have_names),
		cmocka_unit_test(several_objects),
		cmocka_unit_test(pieces_in_any_order),
		cmocka_unit_test(facts),
		cmocka_unit_test(found_computing),
		cmocka_unit_test(what_is_wrong_ends_it),
		cmocka_unit_test(no_piece_at_all),
		cmocka_unit_test(entries_without_events),
		cmocka_unit_test(ids_that_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
