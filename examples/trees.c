/* Binary trees on the collected heap, from several goroutines: allocations and collections. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/weft.h>

typedef struct node {
	struct node *left, *right;
} node;

static node *tree(int depth)
{
	node *n = weft_new(sizeof(*n));
	if (!n)
		weft_panic("out of memory");
	if (depth > 0) {
		n->left = tree(depth - 1);
		n->right = tree(depth - 1);
	}
	return n;
}

static int count(const node *n)
{
	return n ? 1 + count(n->left) + count(n->right) : 0;
}

static void grow(void *arg)
{
	int depth = *(int *)arg;
	long nodes = 0;
	for (int i = 0; i < 20; i++)
		nodes += count(tree(depth));
	printf("20 trees of depth %d: %ld nodes\n", depth, nodes);
}

static void start(void *arg)
{
	int depths[] = { *(int *)arg, *(int *)arg + 1, *(int *)arg + 2 };
	weft_wg all = { 0 };
	for (int i = 0; i < 3; i++)
		weft_wg_go(&all, grow, &depths[i]);
	weft_wg_wait(&all);
	weft_gc();
}

int main(int argc, char **argv)
{
	int depth = argc > 1 ? atoi(argv[1]) : 12;
	return weft_main(start, &depth, NULL) < 0;
}
