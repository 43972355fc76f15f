/* out/flame.c - a profile as nested boxes; see html.h. */
#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"
#include "out/html.h"
#include "out/units.h"

/* Boxes narrower than this share of the whole are left out. */
#define LEAST 0.001
enum { FRAMES = 260, DEEPEST = 120, ROW_PX = 18, HUES = 10 };

typedef struct node {
	uint32_t parent, name; /* parent: its number before sorting; the root is its own */
	int64_t value;
} node;

typedef struct ranked {
	node n;
	uint32_t was;
} ranked;

typedef struct tree {
	wb_intern names;
	wb_idmap by_name; /* parent << 32 | name -> node */
	WB_VEC(node) nodes;
	ranked *order;   /* children of a node beside each other, largest first */
	uint32_t *first; /* of the children of a node, in `order` */
	bool has_ns, failed;
	unsigned deepest;
} tree;

/* ---- building ---- */

static uint32_t child(tree *t, uint32_t parent, wtr_str name)
{
	uint32_t no = wb_intern_add(&t->names, name.at, name.n);
	if (no == WB_INTERN_NONE) {
		t->failed = true;
		return 0;
	}
	uint64_t key = (uint64_t)parent << 32 | no;
	uint32_t i = wb_idmap_get(&t->by_name, key);
	if (i != WB_IDMAP_NONE)
		return i;
	i = (uint32_t)t->nodes.n;
	if (!wb_vec_add(&t->nodes, (node){ parent, no, 0 }) || !wb_idmap_set(&t->by_name, key, i))
		t->failed = true;
	return t->failed ? 0 : i;
}

static void add(tree *t, const wtr_profile *p, size_t i)
{
	wtr_profile_record r;
	wtr_frame f[FRAMES];
	wtr_profile_get_record(p, i, &r);
	size_t n = wtr_profile_frames(p, i, f, FRAMES);
	int64_t v = t->has_ns ? r.ns : (int64_t)r.count;
	uint32_t at = 0;
	t->nodes.at[0].value += v;
	if (r.state[0]) {
		at = child(t, at, (wtr_str){ r.state, strlen(r.state) });
		t->nodes.at[at].value += v;
	}
	if (n == 0) {
		at = child(t, at, (wtr_str){ "(no stack)", 10 });
		t->nodes.at[at].value += v;
	}
	for (size_t k = n < FRAMES ? n : FRAMES, depth = 0; k-- > 0 && depth < DEEPEST && !t->failed; depth++) {
		at = child(t, at, f[k].func);
		t->nodes.at[at].value += v;
	}
}

static int by_parent(const void *a, const void *b)
{
	const ranked *x = a, *y = b;
	if (x->n.parent != y->n.parent)
		return x->n.parent < y->n.parent ? -1 : 1;
	if (x->n.value != y->n.value)
		return x->n.value > y->n.value ? -1 : 1;
	return x->was < y->was ? -1 : x->was > y->was;
}

static bool arrange(tree *t)
{
	size_t n = t->nodes.n;
	t->order = wb_calloc(n, sizeof(*t->order));
	t->first = wb_calloc(n + 1, sizeof(*t->first));
	if (!t->order || !t->first)
		return false;
	for (uint32_t i = 0; i < n; i++)
		t->order[i] = (ranked){ t->nodes.at[i], i };
	t->order[0].n.parent = UINT32_MAX; /* the root is nobody's child: last */
	qsort(t->order, n, sizeof(*t->order), by_parent);
	for (uint32_t i = 0, at = 0; i < n; i++) {
		t->first[i] = at;
		while (at < n && t->order[at].n.parent == i)
			at++;
	}
	t->first[n] = (uint32_t)n;
	return true;
}

static bool build(tree *t, const wtr_profile *p, size_t records)
{
	bool ok = wb_intern_add(&t->names, "", 0) == 0 && wb_vec_add(&t->nodes, (node){ 0 });
	for (size_t i = 0; ok && i < records && !t->failed; i++)
		add(t, p, i);
	return ok && !t->failed && arrange(t);
}

/* ---- drawing ---- */

/* A colour by package, so that what belongs together looks alike; the runtime is grey. */
static void colour(wb_buf *b, wb_text name)
{
	const char *slash = memrchr(name.at, '/', name.n), *from = slash ? slash : name.at;
	const char *dot = memchr(from, '.', (size_t)(name.at + name.n - from));
	size_t n = dot ? (size_t)(dot - name.at) : name.n;
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (uint8_t)name.at[i]) * 16777619u;
	bool ours = n == name.n; /* no function: a state, or that there is no stack */
	if (ours || (n == 7 && memcmp(name.at, "runtime", 7) == 0))
		wb_buf_puts(b, "r");
	else
		wb_buf_printf(b, "h%u", hash % HUES);
}

static void amount(wb_buf *b, const tree *t, int64_t v)
{
	if (t->has_ns)
		out_duration(b, v);
	else
		out_count(b, (uint64_t)v);
}

static void box(wb_buf *b, const tree *t, uint32_t i, double x, double width, unsigned depth)
{
	wb_text name = i ? wb_intern_text(&t->names, t->nodes.at[i].name) : (wb_text){ "all", 3 };
	if (name.n == 0)
		name = (wb_text){ "(not known)", 11 };
	wb_buf_puts(b, "<div tabindex=0 class=");
	colour(b, name);
	wb_buf_printf(
		b, " style=\"left:%.4f%%;width:%.4f%%;top:%upx\" data-n=\"", 100 * x, 100 * width, depth * ROW_PX);
	out_html(b, name.at, name.n);
	wb_buf_puts(b, "\" title=\"");
	out_html(b, name.at, name.n);
	wb_buf_puts(b, "\n");
	amount(b, t, t->nodes.at[i].value);
	wb_buf_printf(b, ", %.1f %%\">", 100 * width);
	if (width > 0.012)
		out_html(b, name.at, name.n);
	wb_buf_puts(b, "</div>\n");
}

static void draw(wb_buf *b, tree *t, uint32_t i, double x, unsigned depth)
{
	double whole = (double)t->nodes.at[0].value, width = (double)t->nodes.at[i].value / whole;
	t->deepest = depth > t->deepest ? depth : t->deepest;
	box(b, t, i, x, width, depth);
	for (uint32_t k = t->first[i]; k < t->nodes.n && t->order[k].n.parent == i; k++) {
		double part = (double)t->order[k].n.value / whole;
		if (part < LEAST)
			break;
		draw(b, t, t->order[k].was, x, depth + 1);
		x += part;
	}
}

bool out_html_flame(wb_buf *b, const wtr_profile *p)
{
	wtr_profile_totals all;
	wtr_profile_get_totals(p, &all);
	tree t = { .has_ns = wtr_profile_value(all.kind, 1)[0] };
	bool ok = build(&t, p, all.records);
	if (ok && t.nodes.at[0].value > 0) {
		wb_buf boxes = { 0 };
		draw(&boxes, &t, 0, 0, 0);
		wb_buf_printf(b, "<div class=flame style=\"height:%upx\">\n", (t.deepest + 1) * ROW_PX + 1);
		wb_buf_put(b, boxes.at, boxes.n);
		wb_buf_puts(b, "</div>\n");
		ok = !boxes.failed;
		wb_buf_free(&boxes);
	}
	wb_intern_free(&t.names);
	wb_idmap_free(&t.by_name);
	wb_vec_free(&t.nodes);
	wb_free(t.order);
	wb_free(t.first);
	return ok;
}
