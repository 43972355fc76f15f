/* cli/cmd_version.c - which weft this is. */
#include <stdio.h>

#include "cli/cli.h"
#include "out/json.h"

int cli_run_VERSION(const cli_args *a)
{
	if (!cli_has(a, CLI_OPT_JSON)) {
		puts("weft " WEFT_VERSION "\nreads execution traces of Go 1.11 to 1.27");
		return CLI_OK;
	}
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
	out_json_object(&j);
	out_json_put_text(&j, "weft", WEFT_VERSION);
	out_json_put_text(&j, "oldest_go", "1.11");
	out_json_put_text(&j, "newest_go", "1.27");
	out_json_object_end(&j);
	return cli_print_json(&j, &b);
}
