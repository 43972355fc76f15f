/* rt/tr/symbol.h - from addresses to functions, files and lines of this process, inlined frames included.
 *
 * From DWARF by elfutils' libdw.  Where there is none: a name from the symbol table, or "program+0x1234" - the file and
 * the offset in it - which addr2line can look up later where the full program is.  The file is then the program's or
 * library's, and the line 1, since Go's tools want one.  Only files on this machine are looked at.
 */
#ifndef WEFT__TR_SYMBOL_H
#define WEFT__TR_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct weft__tr_frame {
	const char *func, *file;
	uint32_t line;
} weft__tr_frame;

typedef struct weft__tr_symbols weft__tr_symbols;

/* NULL when memory is out. */
weft__tr_symbols *weft__tr_symbols_open(void);
void weft__tr_symbols_close(weft__tr_symbols *s); /* NULL is fine */

/* The frames at an address inside a call or function, innermost first: at least one; 0 when memory is out.  *ret lives
 * until the next call; the texts until close.  Each address is looked up once.  One thread. */
size_t weft__tr_symbols_at(weft__tr_symbols *s, uintptr_t pc, const weft__tr_frame **ret);

/* A function of the library, or of malloc(), that programs call. */
bool weft__tr_is_public(const char *func);

/* Where a program has called into the library: of public functions that call each other the outermost one.  What is
 * further in is the library's own. */
typedef struct weft__tr_called {
	size_t pc, frame; /* which return address of the stack, and which of the frames there; 0, 0: none is found */
} weft__tr_called;
weft__tr_called weft__tr_symbols_called(weft__tr_symbols *s, const uintptr_t *pcs, size_t n); /* s may be NULL */

/* Where the return address of the function at this address is, when control is there: in bytes above the stack pointer;
 * -1: where the frame pointer leads to, or not known.  From the tables for unwinding (.eh_frame). */
enum { WEFT__TR_IN_LINK = -2 }; /* still in the link register: arm64 */
int64_t weft__tr_symbols_return_at(weft__tr_symbols *s, uintptr_t pc);

/* Libraries may have come since: addresses in none will be looked for again. */
void weft__tr_symbols_refresh(weft__tr_symbols *s);

#endif
