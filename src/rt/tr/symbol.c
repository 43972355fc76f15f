/* rt/tr/symbol.c - see symbol.h. */
#include "rt/tr/symbol.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"

enum { INLINED_MAX = 32 }; /* frames of one address */

typedef struct place {
	uint32_t first, n; /* in frames */
} place;

struct weft__tr_symbols {
	Dwfl *dwfl; /* NULL: libdw cannot read this process */
	bool stale; /* the list of modules is older than the generation */
	wb_intern texts;
	wb_idmap by_pc; /* -> places */
	WB_VEC(place) places;
	WB_VEC(weft__tr_frame) frames;
};

/* Separate debug files are found by build id; nothing is fetched (dwfl_standard_find_debuginfo might). */
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_build_id_find_debuginfo,
};

static void report(weft__tr_symbols *s)
{
	s->stale = false;
	if (!s->dwfl)
		return;
	dwfl_report_begin(s->dwfl);
	dwfl_linux_proc_report(s->dwfl, getpid());
	dwfl_report_end(s->dwfl, NULL, NULL);
}

weft__tr_symbols *weft__tr_symbols_open(void)
{
	weft__tr_symbols *s = wb_calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->dwfl = dwfl_begin(&callbacks);
	report(s);
	return s;
}

void weft__tr_symbols_close(weft__tr_symbols *s)
{
	if (!s)
		return;
	if (s->dwfl)
		dwfl_end(s->dwfl);
	wb_intern_free(&s->texts);
	wb_idmap_free(&s->by_pc);
	wb_vec_free(&s->places);
	wb_vec_free(&s->frames);
	wb_free(s);
}

void weft__tr_symbols_refresh(weft__tr_symbols *s)
{
	s->stale = true;
}

/* A copy that stays; NULL when memory is out. */
static const char *keep(weft__tr_symbols *s, const char *text)
{
	uint32_t i = wb_intern_add(&s->texts, text, strlen(text));
	return i == WB_INTERN_NONE ? NULL : wb_intern_text(&s->texts, i).at;
}

/* ---- DWARF ---- */

/* Compilers need not write the table that leads from addresses to units (clang does not). */
static Dwarf_Die *unit_at(Dwfl_Module *mod, Dwarf_Addr pc, Dwarf_Addr *bias)
{
	Dwarf_Die *cu = dwfl_module_addrdie(mod, pc, bias);
	if (cu)
		return cu;
	while ((cu = dwfl_module_nextcu(mod, cu, bias)))
		if (dwarf_haspc(cu, pc - *bias) > 0)
			return cu;
	return NULL;
}

static uint32_t number(Dwarf_Die *die, unsigned attr)
{
	Dwarf_Attribute a;
	Dwarf_Word w = 0;
	return dwarf_attr(die, attr, &a) && dwarf_formudata(&a, &w) == 0 ? (uint32_t)w : 0;
}

/* Where an inlined function was called from. */
static void caller_of(Dwarf_Die *cu, Dwarf_Die *inlined, weft__tr_frame *at)
{
	Dwarf_Files *files;
	size_t n;
	const char *file = NULL;
	if (dwarf_getsrcfiles(cu, &files, &n) == 0)
		file = dwarf_filesrc(files, number(inlined, DW_AT_call_file), NULL, NULL);
	at->file = file ? file : at->file;
	at->line = number(inlined, DW_AT_call_line);
}

/* Scopes from the innermost to the function, as they lie in each other in the code. */
static int scopes_at(Dwarf_Die *cu, Dwarf_Addr pc, Dwarf_Die **ret)
{
	Dwarf_Die *by_name;
	int n = dwarf_getscopes(cu, pc, &by_name);
	if (n <= 0)
		return 0;
	Dwarf_Die innermost = by_name[0];
	free(by_name);
	n = dwarf_getscopes_die(&innermost, ret);
	return n > 0 ? n : 0;
}

static size_t from_dwarf(Dwfl_Module *mod, uintptr_t pc, weft__tr_frame *f)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die *cu = unit_at(mod, pc, &bias), *scopes = NULL;
	Dwarf_Line *line = cu ? dwarf_getsrc_die(cu, pc - bias) : NULL;
	int number_of_line = 0;
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!file || dwarf_lineno(line, &number_of_line))
		return 0;
	weft__tr_frame at = { .file = file, .line = (uint32_t)number_of_line };
	int n_scopes = scopes_at(cu, pc - bias, &scopes);
	size_t n = 0;
	for (int i = 0; i < n_scopes && n < INLINED_MAX; i++) {
		int tag = dwarf_tag(&scopes[i]);
		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		at.func = dwarf_diename(&scopes[i]);
		f[n++] = at;
		if (tag == DW_TAG_subprogram)
			break;
		caller_of(cu, &scopes[i], &at);
	}
	free(scopes);
	if (n == 0)
		f[n++] = at;
	return n;
}

/* ---- without DWARF ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static const char *file_of(Dwfl_Module *mod, Dwarf_Addr *start)
{
	const char *main_file = NULL;
	const char *name = dwfl_module_info(mod, NULL, start, NULL, NULL, NULL, &main_file, NULL);
	return main_file ? main_file : name ? name : "?";
}

/* The name of a frame that has none yet. */
static const char *name_at(weft__tr_symbols *s, Dwfl_Module *mod, uintptr_t pc)
{
	char text[512];
	const char *symbol = mod ? dwfl_module_addrname(mod, pc) : NULL;
	if (symbol)
		return keep(s, symbol);
	Dwarf_Addr start = 0;
	if (mod)
		snprintf(text, sizeof(text), "%s+0x%llx", base_name(file_of(mod, &start)),
			(unsigned long long)(pc - start));
	else
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)pc);
	return keep(s, text);
}

/* dwfl_addrmodule takes what lies behind the last module for a part of it. */
static Dwfl_Module *module_at(weft__tr_symbols *s, uintptr_t pc)
{
	Dwarf_Addr start, end;
	Dwfl_Module *mod = s->dwfl ? dwfl_addrmodule(s->dwfl, pc) : NULL;
	if (!mod)
		return NULL;
	dwfl_module_info(mod, NULL, &start, &end, NULL, NULL, NULL, NULL);
	return pc >= start && pc < end ? mod : NULL;
}

static size_t look_up(weft__tr_symbols *s, uintptr_t pc, weft__tr_frame *f)
{
	Dwfl_Module *mod = module_at(s, pc);
	if (!mod && s->stale) {
		report(s);
		mod = module_at(s, pc);
	}
	size_t n = mod ? from_dwarf(mod, pc, f) : 0;
	if (n == 0) {
		Dwarf_Addr start;
		f[n++] = (weft__tr_frame){ .file = mod ? file_of(mod, &start) : "?" };
	}
	for (size_t i = 0; i < n; i++) {
		f[i].func = f[i].func ? keep(s, f[i].func) : name_at(s, mod, pc);
		f[i].file = keep(s, f[i].file);
		f[i].line = f[i].line ? f[i].line : 1;
		if (!f[i].func || !f[i].file)
			return 0;
	}
	return n;
}

static size_t remember(weft__tr_symbols *s, uintptr_t pc, const weft__tr_frame *f, size_t n, place *ret)
{
	place p = { .first = (uint32_t)s->frames.n, .n = (uint32_t)n };
	if (!wb_vec_reserve(&s->frames, n) || !wb_vec_reserve(&s->places, 1) ||
		!wb_idmap_set(&s->by_pc, pc, (uint32_t)s->places.n))
		return 0;
	memcpy(s->frames.at + s->frames.n, f, n * sizeof(*f));
	s->frames.n += n;
	s->places.at[s->places.n++] = *ret = p;
	return n;
}

size_t weft__tr_symbols_at(weft__tr_symbols *s, uintptr_t pc, const weft__tr_frame **ret)
{
	place p;
	uint32_t i = wb_idmap_get(&s->by_pc, pc);
	if (i != WB_IDMAP_NONE) {
		p = s->places.at[i];
	} else {
		weft__tr_frame f[INLINED_MAX] = { 0 };
		size_t n = look_up(s, pc, f);
		if (n == 0 || !remember(s, pc, f, n, &p))
			return 0;
	}
	*ret = &s->frames.at[p.first];
	return p.n;
}

/* ---- the program's call ---- */

bool weft__tr_is_public(const char *func)
{
	static const char *const of_malloc[] = { "malloc", "calloc", "realloc", "memalign", "aligned_alloc",
		"posix_memalign" };
	for (size_t i = 0; i < sizeof(of_malloc) / sizeof(*of_malloc); i++)
		if (strcmp(func, of_malloc[i]) == 0)
			return true;
	return strncmp(func, "weft_", 5) == 0 && func[5] != '_';
}

/* Which of the frames at a return address is public, -1 if none is. */
static int public_at(weft__tr_symbols *s, uintptr_t pc)
{
	const weft__tr_frame *f;
	size_t n = weft__tr_symbols_at(s, pc - 1, &f);
	for (size_t i = 0; i < n; i++)
		if (weft__tr_is_public(f[i].func))
			return (int)i;
	return -1;
}

weft__tr_called weft__tr_symbols_called(weft__tr_symbols *s, const uintptr_t *pcs, size_t n)
{
	enum { INSIDE_MAX = 8 };
	weft__tr_called at = { 0 };
	int frame = -1;
	for (size_t i = 0; s && i < n && (frame >= 0 || i < INSIDE_MAX); i++) {
		int next = public_at(s, pcs[i]);
		if (next < 0 && frame >= 0)
			break;
		if (next >= 0)
			at = (weft__tr_called){ i, (size_t)(frame = next) };
	}
	return at;
}

/* ---- frames ---- */

#if defined(__x86_64__)
enum { SP = 7, RETURN = 16, NO_RULES = -1 };
#elif defined(__aarch64__)
enum { SP = 31, RETURN = 30, NO_RULES = WEFT__TR_IN_LINK }; /* the linker's stubs (.plt) have none */
#endif

/* The rule for the frame at pc is "stack pointer + n": n, -1 when it is another. */
static int64_t frame_above_sp(Dwarf_Frame *frame)
{
	Dwarf_Op *ops;
	size_t n;
	if (dwarf_frame_cfa(frame, &ops, &n) != 0 || n != 1)
		return -1;
	if (ops[0].atom == DW_OP_breg0 + SP)
		return (int64_t)ops[0].number;
	return ops[0].atom == DW_OP_bregx && ops[0].number == SP ? (int64_t)ops[0].number2 : -1;
}

/* And that for the return address is "so much beneath that", or "as it was". */
static int64_t return_above_sp(Dwarf_Frame *frame)
{
	Dwarf_Op memory[3], *ops;
	size_t n;
	if (dwarf_frame_register(frame, RETURN, memory, &ops, &n) != 0)
		return -1;
	if (n == 0)
		return ops ? -1 : WEFT__TR_IN_LINK;
	int64_t from_frame = n == 1 ? 0 : (int64_t)ops[1].number, at = frame_above_sp(frame);
	if (at < 0 || n > 2 || ops[0].atom != DW_OP_call_frame_cfa || (n == 2 && ops[1].atom != DW_OP_plus_uconst))
		return -1;
	return at + from_frame < 0 ? -1 : at + from_frame;
}

int64_t weft__tr_symbols_return_at(weft__tr_symbols *s, uintptr_t pc)
{
	Dwfl_Module *mod = module_at(s, pc);
	Dwarf_Addr bias;
	Dwarf_CFI *cfi = mod ? dwfl_module_eh_cfi(mod, &bias) : NULL;
	Dwarf_Frame *frame;
	if (!cfi)
		return -1;
	if (dwarf_cfi_addrframe(cfi, pc - bias, &frame) != 0)
		return NO_RULES;
	int64_t at = return_above_sp(frame);
	free(frame);
	return at;
}
