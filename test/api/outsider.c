/* A program that is not ours: public headers, libwtr, nothing else.  Also the example of docs and README.
 *
 *   outsider TRACE     prints how many goroutines there are and what they did most of the time */
#include <stdio.h>

#include <wtr/wtr.h>

int main(int argc, char **argv)
{
	wtr_trace *trace;
	wtr_index *index;
	wtr_error err;
	if (argc != 2 || wtr_open(argv[1], NULL, &trace, &err) != WTR_OK) {
		fprintf(stderr, "outsider: %s\n", argc != 2 ? "one trace, please" : err.what);
		return 2;
	}
	if (wtr_index_build(trace, WTR_PART_GOROUTINES, &index, &err) != WTR_OK) {
		fprintf(stderr, "outsider: %s\n", err.what);
		wtr_close(trace);
		return 2;
	}
	const wtr_group_row *group = wtr_table_data(index, WTR_TABLE_GROUPS);
	size_t n = wtr_table_rows(index, WTR_TABLE_GROUPS);
	for (size_t i = 0; i < n; i++)
		printf("%6u %12lld ns running  %.*s\n", group[i].n, (long long)group[i].exec_ns, (int)group[i].name.n,
			group[i].name.at);
	wtr_index_free(index);
	wtr_close(trace);
	return n > 0 ? 0 : 1;
}
