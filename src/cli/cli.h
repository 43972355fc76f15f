/* cli/cli.h - what the commands of `weft` share.
 *
 * Answers go to standard output and nothing else does; errors are one line on standard error,
 * `weft: FILE: what (where)`, with a second one where there is something useful to do next.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/wtr.h>

#include "base/buf.h"
#include "cli/sink.h"
#include "out/goroutines.h"
#include "out/json.h"
#include "out/table.h"

enum { CLI_OPERANDS_MAX = 4096 };

/* Exit statuses. */
enum { CLI_OK = 0, CLI_NO = 1, CLI_USAGE = 2, CLI_UNREADABLE = 3 };

#define WEFT_VERSION "0.1.0"

/* ---- commands and options (commands.def) ---- */

typedef enum cli_option_id {
	CLI_OPT_NONE, /* none of all */
#define OPTION(ID, name, TYPE, meta, help) CLI_OPT_##ID,
#include "cli/commands.def"
	CLI_OPT_COUNT
} cli_option_id;

typedef enum cli_command_id {
#define COMMAND(ID, name, min, max, operands, help, options) CLI_CMD_##ID,
#include "cli/commands.def"
	CLI_CMD_COUNT
} cli_command_id;

typedef enum cli_option_type { CLI_FLAG, CLI_TEXT, CLI_NUMBER, CLI_TIME, CLI_LENGTH, CLI_CHOICE } cli_option_type;

typedef struct cli_option {
	const char     *name;
	cli_option_type type;
	const char     *meta; /* word for the value in help; for a choice, the words, as a|b|c */
	const char     *help;
} cli_option;

typedef struct cli_args cli_args;
typedef struct cli_command {
	const char *name;
	size_t      operands_min, operands_max;
	const char *operands;
	const char *help;
	uint64_t    options; /* bit set of 1 << cli_option_id */
	int       (*run)(const cli_args *a);
} cli_command;

/* What a command makes of several traces (commands.def). */
typedef enum cli_several_how { CLI_PRINTS, CLI_COMPARES, CLI_WRITES, CLI_WRITES_LAST } cli_several_how;
typedef struct cli_several {
	cli_several_how how;
	/* Appends what the names of files end with that it makes, such as ".csv".  False, after saying why: nothing can
	 * be made so.  NULL: it makes none. */
	bool (*ending)(const cli_args *a, wb_buf *ret);
} cli_several;

extern const cli_option  cli_options[CLI_OPT_COUNT];
extern const cli_command cli_commands[CLI_CMD_COUNT];

/* A command line, taken apart. */
struct cli_args {
	const cli_command *command;
	const char        *values[CLI_OPT_COUNT]; /* NULL: not given; "" for flags */
	const char        *operands[CLI_OPERANDS_MAX];
	size_t             n_operands;
};

/* Further lines of a command's help, each ending in a line feed. */
const char *cli_details(const cli_command *c);
/* What it makes of several traces. */
const cli_several *cli_several_of(const cli_command *c);
/* The command of that name, NULL if none; the nameless one is never found. */
const cli_command *cli_find_command(const char *name);

/* Takes apart what stands behind the command's name.  Options may have one or two dashes and stand anywhere; "--" ends
 * them.  False: it is wrong, and standard error says why. */
bool cli_parse(const cli_command *c, int n, char **words, cli_args *ret);

static inline bool cli_has(const cli_args *a, cli_option_id id) { return a->values[id] != NULL; }
uint64_t cli_number(const cli_args *a, cli_option_id id, uint64_t otherwise);
/* Nanoseconds of a LENGTH. */
int64_t cli_length(const cli_args *a, cli_option_id id, int64_t otherwise);
/* Index into the words of the option's meta. */
unsigned cli_choice(const cli_args *a, cli_option_id id, unsigned otherwise);

/* A time as users write it: 1500, 1.2s, 5ms, 30us, 100ns, 1m; nanoseconds in *ret_ns.  With a leading @ it is absolute.
 * False when it is none. */
bool cli_time(const char *text, int64_t *ret_ns, bool *ret_absolute);

/* The kinds that an option names, with commas between, as a bit set of 1 << wtr_kind.  False: one of them is none, and
 * standard error says which there are. */
bool cli_kinds(const cli_args *a, cli_option_id id, uint32_t *ret);

/* Prints `weft: ...` to standard error with a hint where help is, and returns CLI_USAGE. */
int cli_usage(const cli_command *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Help to standard output (or, with to_stderr, to standard error): of everything, or of one command. */
void cli_help_all(bool to_stderr);
void cli_help_command(const cli_command *c, bool to_stderr);

/* weft: there is no command WORD; CLI_USAGE. */
int cli_no_command(const char *word);
/* The command that was probably meant by a word that is none; NULL: none is like it. */
const char *cli_near_command(const char *word);

/* ---- the trace ---- */

/* Opens the operand of a command with its options, with progress on a terminal.  NULL: standard error says why. */
wtr_trace *cli_open(const cli_args *a);
/* The same of a file that is no operand. */
wtr_trace *cli_open_path(const cli_args *a, const char *path);
/* The same with a progress callback of the command's own. */
typedef bool cli_progress_fn(void *user, const char *doing, uint64_t done, uint64_t total);
wtr_trace *cli_open_with(const cli_args *a, cli_progress_fn *progress, void *user);
/* Opens and builds an index; *ret_trace is to be closed after it.  NULL: standard error says why. */
wtr_index *cli_index(const cli_args *a, unsigned parts, wtr_trace **ret_trace);

/* ---- which time, and which of the things in it ---- */

/* What --range, --filter and the options that are short for a filter choose. */
typedef struct cli_scope {
	const cli_args *args;
	wtr_period period;
	wtr_about about;
	wtr_where *where;       /* NULL: everything */
	bool early;             /* the range was resolved without an index */
	bool ranged;            /* these are known after binding: */
	int64_t from_ns, to_ns; /* absolute; the whole trace without --range */
	unsigned parts;         /* of an index, that a filter needs beside those it asks for itself */
	wtr_index *whole;       /* behind an index of a part of the time: the filter asks it */
} cli_scope;

/* Parses them; the exit status, after saying what is wrong. */
int cli_scope_parse(const cli_args *a, wtr_about about, cli_scope *ret);
/* The parts of an index that binding needs; 0: none, x may be NULL then. */
unsigned cli_scope_parts(const cli_scope *s);
int cli_scope_bind(cli_scope *s, wtr_trace *t, const wtr_index *x);
/* A line on standard error when the filter let nothing of what it was asked about through; with `once`, how much that
 * was: each thing was asked about once. */
void cli_scope_note(const cli_scope *s, bool once);
void cli_scope_free(cli_scope *s);
/* Opens the operand and builds an index with these parts, of the range if there is one; binds.  NULL: *ret_rc is the
 * exit status. */
wtr_index *cli_scope_index(cli_scope *s, unsigned parts, wtr_trace **ret_trace, int *ret_rc);
/* The same for questions that make their own pass: only with the index that range and filter need.  A range such as
 * 1.2s..1.3s needs none. */
bool cli_scope_open(cli_scope *s, wtr_trace **ret_trace, int *ret_rc);
/* After such a pass, which ended so: the exit status, when the trace ends in damage before the range begins. */
int cli_scope_recheck(cli_scope *s, wtr_trace *t, const wtr_error *end);
/* Frees all that came from either; x may be NULL. */
void cli_scope_close(cli_scope *s, wtr_trace *t, wtr_index *x);
/* "range": null or from_ns and to_ns; "filter": null or its text. */
void cli_scope_json(out_json *j, const cli_scope *s, int64_t start_ns);

/* --threads, for wtr_options. */
int cli_threads(const cli_args *a);

/* The time of the first event, 0 when there is none. */
int64_t cli_start_ns(wtr_trace *t);

/* weft: FILE: what (offset N, generation G, thread T, Event) */
void cli_error(const char *path, const wtr_error *err);
/* The same of a trace that cannot be opened, with what may help. */
void cli_open_error(const char *path, const wtr_error *err);
/* "offset 12, generation 1, thread 7, GoStart": what is known of it; "" if nothing. */
void cli_error_place(wb_buf *b, const wtr_error *err);
/* A second line for standard error, indented. */
void cli_hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The file's name as users should see it: "standard input" for "-". */
const char *cli_path(const char *path);

/* A line on standard error when the trace was not read to its end. */
void cli_warn_damage(const char *path, const wtr_index *x);
void cli_warn_end(const char *path, const wtr_error *end); /* that ended so */

/* ---- progress, on standard error when that is a terminal, of what takes over half a second ---- */

/* The callback for wtr_options.progress; any thread.  Always true. */
bool cli_progress(void *user, const char *doing, uint64_t done, uint64_t total);
/* Of several traces: from here on progress is that of all of them together, in bytes of their files.  n 0: no more. */
void cli_progress_files(size_t n, uint64_t done, uint64_t total);
/* Erases what stands there.  Call before printing anything. */
void cli_progress_done(void);

/* ---- printing ---- */

/* Writes what is in `b` to standard output when there is a good deal of it, or `all` of it; empties it.  False: it
 * cannot be written, or memory was out, and standard error says so. */
bool cli_flush(wb_buf *b, bool all);

/* Ends an answer in JSON, prints it and frees the buffer; the exit status. */
int cli_print_json(out_json *j, wb_buf *b);
/* "damage": null, or what ended the reading, and what was lost. */
void cli_damage_json(out_json *j, const wtr_index *x);
void cli_error_json(out_json *j, const wtr_error *err);

/* How many columns a line of the answer may have: $COLUMNS, or those of the terminal; 0: as many as it takes. */
size_t cli_columns(void);
/* Appends a table that fits into them. */
void cli_table(wb_buf *b, out_table *t, const char *indent);
/* Appends a text and a line feed, in lines of at most 100 columns and cli_columns(), from the second one on behind
 * `indent` spaces.  `column`: where the first one has come to. */
void cli_wrapped(wb_buf *b, const char *text, size_t indent, size_t column);

/* Cells: exec, sched, block, syscall (blocked ones too), total. */
void cli_times(out_table *t, const out_sums *s);
/* A cell: a function's name, or that it is not known. */
void cli_name(out_table *t, wtr_str name);

/* Colours, as long as standard output is a terminal and NO_COLOR is not set: else these are "". */
typedef enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_BLUE, CLI_CYAN } cli_style;
const char *cli_styled(cli_style s);
bool cli_coloured(void);

/* ---- the commands ---- */

#define COMMAND(ID, name, min, max, operands, help, options) int cli_run_##ID(const cli_args *a);
#include "cli/commands.def"

bool cli_profile_ending(const cli_args *a, wb_buf *ret);
bool cli_report_ending(const cli_args *a, wb_buf *ret);
bool cli_export_ending(const cli_args *a, wb_buf *ret);

/* `go tool trace -d=parsed`: all events to standard output as Go prints them. */
int cli_print_parsed(const cli_args *a, const char *path);

/* `go tool trace -pprof=`: a profile to standard output. */
int cli_print_pprof(const cli_args *a, const char *path);

/* `go tool trace -d=wire` or, with `footprint`, `-d=footprint`. */
int cli_print_wire(const cli_args *a, const char *path, bool footprint);

#endif
