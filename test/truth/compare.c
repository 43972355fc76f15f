/* test/truth/compare.c - two JSON trees, value by value. */
#include "truth.h"

#include <stdio.h>
#include <string.h>

yajl_val truth_get(yajl_val v, const char *key)
{
	const char *path[] = { key, NULL };
	return YAJL_IS_OBJECT(v) ? yajl_tree_get(v, path, yajl_t_any) : NULL;
}

const char *truth_text(yajl_val v, const char *key)
{
	yajl_val x = truth_get(v, key);
	return x && YAJL_IS_STRING(x) ? YAJL_GET_STRING(x) : "";
}

int64_t truth_number(yajl_val v, const char *key)
{
	yajl_val x = truth_get(v, key);
	return x && YAJL_IS_INTEGER(x) ? YAJL_GET_INTEGER(x) : 0;
}

typedef struct walk {
	char     path[256];
	size_t   n;
	uint64_t same;
	unsigned bad;
} walk;

static const char *show(yajl_val v, char *buf, size_t n)
{
	if (!v)
		return "nothing";
	switch (v->type) {
	case yajl_t_string:
		snprintf(buf, n, "\"%s\"", v->u.string);
		return buf;
	case yajl_t_number:
		return v->u.number.r;
	case yajl_t_object:
		snprintf(buf, n, "an object of %zu", v->u.object.len);
		return buf;
	case yajl_t_array:
		snprintf(buf, n, "a list of %zu", v->u.array.len);
		return buf;
	case yajl_t_true:
		return "true";
	case yajl_t_false:
		return "false";
	default:
		return "null";
	}
}

static void differ(walk *w, yajl_val want, yajl_val got)
{
	char a[200], b[200];
	if (w->bad++ < 20)
		printf("# %s: Go says %s, we say %s\n", w->path, show(want, a, sizeof(a)), show(got, b, sizeof(b)));
}

static bool same(walk *w, bool yes, yajl_val want, yajl_val got)
{
	if (yes)
		w->same++;
	else
		differ(w, want, got);
	return yes;
}

static void go(walk *w, yajl_val want, yajl_val got);

static void step(walk *w, const char *name, yajl_val want, yajl_val got)
{
	size_t n = w->n;
	int k = snprintf(w->path + n, sizeof(w->path) - n, "%s%s", n ? "." : "", name);
	if (k > 0 && n + (size_t)k < sizeof(w->path))
		w->n = n + (size_t)k;
	go(w, want, got);
	w->n = n;
	w->path[n] = 0;
}

static void go_object(walk *w, yajl_val want, yajl_val got)
{
	for (size_t i = 0; i < want->u.object.len; i++)
		step(w, want->u.object.keys[i], want->u.object.values[i], truth_get(got, want->u.object.keys[i]));
	for (size_t i = 0; i < got->u.object.len; i++)
		if (!truth_get(want, got->u.object.keys[i]))
			step(w, got->u.object.keys[i], NULL, got->u.object.values[i]);
}

static void go_list(walk *w, yajl_val want, yajl_val got)
{
	same(w, want->u.array.len == got->u.array.len, want, got);
	for (size_t i = 0; i < want->u.array.len && i < got->u.array.len; i++) {
		char name[32];
		yajl_val id = truth_get(want->u.array.values[i], "id");
		snprintf(name, sizeof(name), id && YAJL_IS_INTEGER(id) ? "[id %lld]" : "[%lld]",
			id && YAJL_IS_INTEGER(id) ? YAJL_GET_INTEGER(id) : (long long)i);
		step(w, name, want->u.array.values[i], got->u.array.values[i]);
	}
}

static void go(walk *w, yajl_val want, yajl_val got)
{
	if (!want || !got || want->type != got->type) {
		differ(w, want, got);
		return;
	}
	switch (want->type) {
	case yajl_t_object:
		go_object(w, want, got);
		break;
	case yajl_t_array:
		go_list(w, want, got);
		break;
	case yajl_t_string:
		same(w, strcmp(want->u.string, got->u.string) == 0, want, got);
		break;
	case yajl_t_number:
		same(w, strcmp(want->u.number.r, got->u.number.r) == 0, want, got);
		break;
	default:
		w->same++;
	}
}

uint64_t truth_compare(yajl_val want, yajl_val got, unsigned *bad)
{
	walk w = { 0 };
	go(&w, want, got);
	*bad += w.bad;
	return w.same;
}
