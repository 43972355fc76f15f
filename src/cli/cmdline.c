/* cli/cmdline.c - the tables of commands.def, and command lines against them. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "cli/cli.h"

const cli_option cli_options[CLI_OPT_COUNT] = {
#define OPTION(ID, name, TYPE, meta, help) [CLI_OPT_##ID] = { name, CLI_##TYPE, meta, help },
#include "cli/commands.def"
};

const cli_command cli_commands[CLI_CMD_COUNT] = {
#define HAS(ID) | (uint64_t)1 << CLI_OPT_##ID
#define COMMAND(ID, name, min, max, operands, help, options) \
	[CLI_CMD_##ID] = { name, min, max, operands, help, (0 options | (uint64_t)1 << CLI_OPT_HELP), cli_run_##ID },
#include "cli/commands.def"
#undef HAS
};

static const cli_several severals[CLI_CMD_COUNT] = {
#define SEVERAL(ID, HOW, ending) [CLI_CMD_##ID] = { CLI_##HOW, ending },
#include "cli/commands.def"
};

/* Each command begins a string that its details go on; the first one is nobody's. */
static const char *const details[CLI_CMD_COUNT + 1] = { ""
#define COMMAND(ID, name, min, max, operands, help, options) , ""
#define DETAIL(text)                                         text "\n"
#include "cli/commands.def"
};

const char *cli_details(const cli_command *c)
{
	return details[c - cli_commands + 1];
}

const cli_several *cli_several_of(const cli_command *c)
{
	return &severals[c - cli_commands];
}

const cli_command *cli_find_command(const char *name)
{
	for (size_t i = 0; i < CLI_CMD_COUNT; i++)
		if (cli_commands[i].name[0] && strcmp(cli_commands[i].name, name) == 0)
			return &cli_commands[i];
	return NULL;
}

int cli_usage(const cli_command *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("weft: ", cli_err());
	vfprintf(cli_err(), fmt, ap);
	va_end(ap);
	if (c && c->name[0])
		fprintf(cli_err(), "\n  weft help %s shows how it is used\n", c->name);
	else
		fputs("\n\n", cli_err()), cli_help_command(c ? c : &cli_commands[CLI_CMD_GOTRACE], true);
	return CLI_USAGE;
}

int cli_no_command(const char *word)
{
	const char *near = cli_near_command(word);
	fprintf(cli_err(), "weft: there is no command '%s'\n", word);
	if (near)
		cli_hint("did you mean %s? weft help lists them all", near);
	else
		cli_hint("weft help lists them");
	return CLI_USAGE;
}

const char *cli_near_command(const char *word)
{
	wb_near near = { .word = word, .n = strlen(word) };
	for (size_t i = 0; i < CLI_CMD_COUNT; i++)
		wb_near_try(&near, cli_commands[i].name);
	const cli_command *c = near.best[0] ? cli_find_command(near.best) : NULL;
	return c ? c->name : NULL;
}

/* ---- values ---- */

static bool is_number(const char *s)
{
	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	char *end;
	uint64_t v = strtoull(s, &end, 10);
	return *end == 0 && errno == 0 && v <= INT64_MAX;
}

/* Index of a word in a|b|c; -1 if it is none of them. */
static int word_index(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (int i = 0;; i++) {
		size_t n = strcspn(words, "|");
		if (n == len && memcmp(words, word, n) == 0)
			return i;
		if (words[n] == 0)
			return -1;
		words += n + 1;
	}
}

bool cli_time(const char *text, int64_t *ret_ns, bool *ret_absolute)
{
	wtr_moment m;
	if (wtr_moment_parse(text, strlen(text), &m, NULL) != WTR_OK ||
		(m.kind != WTR_MOMENT_SINCE && m.kind != WTR_MOMENT_ABSOLUTE))
		return false;
	*ret_ns = m.ns;
	*ret_absolute = m.kind == WTR_MOMENT_ABSOLUTE;
	return true;
}

static bool value_fits(const cli_command *c, const cli_option *o, const char *value)
{
	int64_t ns;
	bool absolute;
	switch (o->type) {
	case CLI_NUMBER:
		if (is_number(value))
			return true;
		cli_usage(c, "--%s wants a %snumber, not '%s'", o->name,
			*value && strspn(value, "0123456789") == strlen(value) ? "smaller " : "", value);
		return false;
	case CLI_TIME:
		if (cli_time(value, &ns, &absolute))
			return true;
		cli_usage(c, "--%s wants a time such as 1.2s, 5ms or 1500 (ns), not '%s'", o->name, value);
		return false;
	case CLI_LENGTH:
		if (cli_time(value, &ns, &absolute) && !absolute && ns > 0)
			return true;
		cli_usage(c, "--%s wants a length of time above 0, such as 5ms, not '%s'", o->name, value);
		return false;
	case CLI_CHOICE:
		if (word_index(o->meta, value) >= 0)
			return true;
		cli_usage(c, "-%s%s is one of %s, not '%s'", o->name[1] ? "-" : "", o->name, o->meta, value);
		return false;
	default: return true;
	}
}

uint64_t cli_number(const cli_args *a, cli_option_id id, uint64_t otherwise)
{
	return a->values[id] ? strtoull(a->values[id], NULL, 10) : otherwise;
}

int64_t cli_length(const cli_args *a, cli_option_id id, int64_t otherwise)
{
	bool absolute;
	if (a->values[id])
		cli_time(a->values[id], &otherwise, &absolute);
	return otherwise;
}

unsigned cli_choice(const cli_args *a, cli_option_id id, unsigned otherwise)
{
	return a->values[id] ? (unsigned)word_index(cli_options[id].meta, a->values[id]) : otherwise;
}

/* ---- the line ---- */

/* The option of the command that `word` (behind its dashes, n long) names; CLI_OPT_NONE when it has none such. */
static cli_option_id find_option(const cli_command *c, const char *word, size_t n)
{
	for (unsigned id = 1; id < CLI_OPT_COUNT; id++) {
		const char *name = cli_options[id].name;
		if ((c->options >> id & 1) && strlen(name) == n && memcmp(name, word, n) == 0)
			return (cli_option_id)id;
	}
	if (n == 1 && word[0] == 'o' && (c->options >> CLI_OPT_OUTPUT & 1))
		return CLI_OPT_OUTPUT;
	return n == 1 && word[0] == 'h' ? CLI_OPT_HELP : CLI_OPT_NONE;
}

/* Says that the command has no such option, n long with its dashes, and which one may be meant. */
static void no_option(const cli_command *c, const char *option, size_t n)
{
	size_t dashes = strspn(option, "-");
	wb_near near = { .word = option + dashes, .n = n - dashes };
	wb_buf b = { 0 };
	for (unsigned id = 1; id < CLI_OPT_COUNT; id++)
		if (c->options >> id & 1)
			wb_near_try(&near, cli_options[id].name);
	if (near.best[0])
		wb_buf_printf(&b, ": did you mean --%s?", near.best);
	if (c->name[0])
		cli_usage(c, "%s has no option %.*s%s", c->name, (int)n, option, wb_buf_cstr(&b));
	else
		cli_usage(c, "there is no option %.*s%s", (int)n, option, wb_buf_cstr(&b));
	wb_buf_free(&b);
}

/* Takes the option at words[i]; returns how many words it used, 0 when it is wrong. */
static int take_option(const cli_command *c, int n, char **words, int i, cli_args *a)
{
	const char *word = words[i] + 1 + (words[i][1] == '-');
	size_t len = strcspn(word, "=");
	cli_option_id id = find_option(c, word, len);
	if (id == CLI_OPT_NONE)
		return no_option(c, words[i], (size_t)(word - words[i]) + len), 0;
	const cli_option *o = &cli_options[id];
	const char *value = word[len] ? word + len + 1 : NULL;
	if (o->type == CLI_FLAG) {
		if (value) {
			cli_usage(c, "--%s takes no value", o->name);
			return 0;
		}
		a->values[id] = "";
		return 1;
	}
	if (!value && i + 1 == n) {
		cli_usage(c, "--%s wants a value: --%s=%s", o->name, o->name, o->meta);
		return 0;
	}
	a->values[id] = value ? value : words[i + 1];
	if (!value_fits(c, o, a->values[id]))
		return 0;
	return value ? 1 : 2;
}

bool cli_parse(const cli_command *c, int n, char **words, cli_args *ret)
{
	cli_args a = { .command = c };
	bool options = true;
	for (int i = 0; i < n;) {
		const char *w = words[i];
		if (options && strcmp(w, "--") == 0) {
			options = false;
			i++;
		} else if (options && w[0] == '-' && w[1]) {
			int used = take_option(c, n, words, i, &a);
			if (!used)
				return false;
			i += used;
		} else {
			if (a.n_operands < sizeof(a.operands) / sizeof(*a.operands))
				a.operands[a.n_operands] = w;
			a.n_operands++;
			i++;
		}
	}
	if (!a.values[CLI_OPT_HELP] && a.n_operands < c->operands_min) {
		if (c->operands_min > 1 || strstr(c->operands, "FILE") == NULL)
			cli_usage(c, "%s wants %s", c->name, c->operands);
		else
			cli_usage(c, "%s%swhich file?", c->name, c->name[0] ? ": " : "");
		return false;
	}
	if (!a.values[CLI_OPT_HELP] && a.n_operands > c->operands_max) {
		if (c->operands_max == 0)
			cli_usage(c, "%s takes no operand", c->name);
		else
			cli_usage(c, "%s%s%s and nothing more", c->name, c->name[0] ? " takes " : "", c->operands);
		return false;
	}
	*ret = a;
	return true;
}
