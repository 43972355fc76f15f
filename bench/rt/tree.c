/* rt/tree.c - binary trees on the collected heap: many that die young beside one that stays.
 *
 *   bench-rt-tree     prints nanoseconds for each node that was made, the heap's size, its longest pause */
#include "bench.h"

enum { DEPTH = 16, LONG_LIVED = 18, TREES = 64 };

typedef struct node {
	struct node *left, *right;
} node;

static node *grow(int depth)
{
	static const size_t pointers[] = { offsetof(node, left), offsetof(node, right) };
	static const weft_type type = { "node", sizeof(node), pointers, 2 };
	node *t = weft_new_typed(&type, 1);
	bench_must(t ? 0 : -1, "weft_new_typed");
	if (depth > 0) {
		t->left = grow(depth - 1);
		t->right = grow(depth - 1);
	}
	return t;
}

static uint64_t nodes(const node *t)
{
	return t ? 1 + nodes(t->left) + nodes(t->right) : 0;
}

static void measure(void *arg)
{
	(void)arg;
	weft_ns start = weft_now();
	node *stays = grow(LONG_LIVED);
	uint64_t made = nodes(stays);
	for (int i = 0; i < TREES; i++)
		made += nodes(grow(DEPTH));
	bench_must(nodes(stays) == (UINT64_C(2) << LONG_LIVED) - 1 ? 0 : -1, "the tree that stays");
	double ns = (double)(weft_now() - start) / (double)made;
	weft_gc_stats s;
	weft_gc_read(&s);
	bench_result("tree", ns);
	bench_result("tree-heap-mb", (double)s.heap_bytes / 1e6);
	bench_result("tree-pause-max-us", (double)s.pause_max_ns / 1e3);
}

int main(void)
{
	bench_must(weft_main(measure, NULL, NULL), "weft_main");
	return 0;
}
