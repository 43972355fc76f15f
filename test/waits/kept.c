/* Labels that libwtr knows of at the beginning of each generation: kept TRACE prints GENERATION GOROUTINE LABEL. */
#include <stdio.h>

#include <wtr/wtr.h>

enum { MAX = 64 };

int main(int argc, char **argv)
{
	wtr_trace *t;
	wtr_info info;
	wtr_kept_label l[MAX];
	if (argc != 2 || wtr_open(argv[1], &(wtr_options){ .keep_tables = true }, &t, NULL) != WTR_OK)
		return 1;
	wtr_get_info(t, &info);
	for (size_t i = 0; i < info.generations; i++) {
		size_t n = wtr_kept_labels(t, i, l, MAX);
		for (size_t k = 0; k < n && k < MAX; k++)
			printf("%zu %lld %.*s\n", i, (long long)l[k].g, (int)l[k].label.n, l[k].label.at);
	}
	wtr_close(t);
	return 0;
}
