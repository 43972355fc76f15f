/* cli/cmd_help.c - help, printed from the table. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum { LINE = 100 };

static int line_columns(void)
{
	size_t n = cli_columns();
	return n >= 60 && n < LINE ? (int)n : LINE;
}

/* Prints a text from column `from` on, broken at spaces and indented to it. */
static void wrapped(FILE *f, const char *text, int from)
{
	int col = from;
	while (*text) {
		int n = (int)strcspn(text, " ");
		if (col > from && col + 1 + n > line_columns()) {
			fprintf(f, "\n%*s", from, "");
			col = from;
		} else if (col > from) {
			fputc(' ', f);
			col++;
		}
		fprintf(f, "%.*s", n, text);
		col += n;
		text += n;
		while (*text == ' ')
			text++;
	}
	fputc('\n', f);
}

static void usage_line(FILE *f, const cli_command *c)
{
	bool options = c->options & ~((uint64_t)1 << CLI_OPT_HELP | (uint64_t)1 << CLI_OPT_NONE);
	fprintf(f, "usage: weft%s%s%s%s%s\n", c->name[0] ? " " : "", c->name, options ? " [options]" : "",
		c->operands[0] ? " " : "", c->operands);
}

static void option_line(FILE *f, const cli_option *o)
{
	char left[96];
	bool words = o->type == CLI_CHOICE;
	snprintf(left, sizeof(left), "  %s%s%s%s", o->name[1] ? "--" : "-", o->name, o->type == CLI_FLAG ? "" : "=",
		words ? "WORD" : o->meta);
	fprintf(f, "%-24s ", left);
	if (strlen(left) > 24)
		fprintf(f, "\n%25s", "");
	if (words) {
		char help[400];
		snprintf(help, sizeof(help), "%s: %s", o->meta, o->help);
		wrapped(f, help, 25);
	} else {
		wrapped(f, o->help, 25);
	}
}

void cli_help_command(const cli_command *c, bool to_stderr)
{
	FILE *f = to_stderr ? stderr : stdout;
	usage_line(f, c);
	char first[400];
	snprintf(first, sizeof(first), "%c%s.", toupper((unsigned char)c->help[0]), c->help + 1);
	fputc('\n', f);
	wrapped(f, first, 0);
	const char *d = cli_details(c);
	while (*d) {
		int n = (int)strcspn(d, "\n");
		char line[400];
		snprintf(line, sizeof(line), "%.*s", n, d);
		wrapped(f, line, 0);
		d += n + 1;
	}
	fputs("\noptions:\n", f);
	for (unsigned id = 1; id < CLI_OPT_COUNT; id++)
		if (c->options >> id & 1)
			option_line(f, &cli_options[id]);
	const char *many = strstr(c->operands, "FILE...");
	if (many && strcmp(many, "FILE...") == 0 && cli_several_of(c)->how != CLI_WRITES)
		fputs("\nSeveral files, or the traces of a folder, are asked one after the other.\n", f);
	if (strstr(c->operands, "FILE") && c - cli_commands != CLI_CMD_ASSEMBLE) {
		fputc('\n', f);
		wrapped(f, "FILE may be packed (weft pack), or compressed with gzip or zstd; - is standard input.", 0);
	}
}

void cli_help_all(bool to_stderr)
{
	FILE *f = to_stderr ? stderr : stdout;
	wrapped(f,
		"weft " WEFT_VERSION " - opens Go execution traces (Go 1.11 to 1.27) and answers questions about them",
		0);
	fputs("\nusage: weft FILE                     open a trace in the browser\n"
	      "       weft COMMAND [options] FILE   ask about it here\n\n",
		f);
	for (unsigned i = 0; i < CLI_CMD_COUNT; i++)
		if (cli_commands[i].name[0]) {
			fprintf(f, "  %-12s ", cli_commands[i].name);
			wrapped(f, cli_commands[i].help, 15);
		}
	fputc('\n', f);
	wrapped(f,
		"weft help COMMAND, or weft COMMAND --help, shows its options. A file named like a command: ./summary",
		0);
	fputs("Any go tool trace command line works too:\n", f);
	for (unsigned id = 1; id < CLI_OPT_COUNT; id++)
		if (cli_commands[CLI_CMD_GOTRACE].options >> id & 1)
			option_line(f, &cli_options[id]);
	fputc('\n', f);
	wrapped(f, "Answers fit into the terminal, or into COLUMNS=N columns; elsewhere, names are whole.", 0);
	wrapped(f, "Exit status: 0 fine; 1 the answer is no; 2 wrong usage; 3 the input cannot be read.", 0);
}

int cli_run_HELP(const cli_args *a)
{
	if (a->n_operands == 0) {
		cli_help_all(false);
		return CLI_OK;
	}
	const cli_command *c = cli_find_command(a->operands[0]);
	if (!c)
		return cli_no_command(a->operands[0]);
	cli_help_command(c, false);
	return CLI_OK;
}
