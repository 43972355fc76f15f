/* rt/prof/profnames.c - see profnames.h. */
#include "rt/prof/profnames.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what is mapped ---- */

static void to_hex(const unsigned char *at, size_t n, char *ret)
{
	for (size_t i = 0; i < n; i++)
		sprintf(ret + 2 * i, "%02x", at[i]);
}

static size_t whole_words(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static void build_id_in(const char *at, size_t n, char *ret)
{
	for (const char *end = at + n; (size_t)(end - at) > sizeof(ElfW(Nhdr));) {
		const ElfW(Nhdr) *note = (const void *)at;
		const char *name = at + sizeof(*note), *desc = name + whole_words(note->n_namesz);
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0 &&
			note->n_descsz <= WEFT__BUILD_ID_MAX) {
			to_hex((const unsigned char *)desc, note->n_descsz, ret);
			return;
		}
		at = desc + whole_words(note->n_descsz);
	}
}

static int add_maps(struct dl_phdr_info *info, size_t size, void *arg)
{
	weft__prof_names *n = arg;
	weft__prof_map map = { .file = info->dlpi_name[0] ? info->dlpi_name : n->program };
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE && !map.build_id[0])
			build_id_in((const char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr,
				info->dlpi_phdr[i].p_memsz, map.build_id);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		map.start = info->dlpi_addr + p->p_vaddr;
		map.limit = map.start + p->p_memsz;
		map.offset = p->p_offset;
		n->failed |= !wb_vec_add(&n->maps, map);
	}
	return 0;
}

void weft__prof_names_open(weft__prof_names *n)
{
	memset(n, 0, sizeof(*n));
	ssize_t k = readlink("/proc/self/exe", n->program, sizeof(n->program) - 1);
	n->program[k > 0 ? k : 0] = 0;
	n->symbols = weft__tr_symbols_open();
	dl_iterate_phdr(add_maps, n);
}

void weft__prof_names_close(weft__prof_names *n)
{
	weft__tr_symbols_close(n->symbols);
	wb_vec_free(&n->maps);
}

/* ---- looking up ---- */

size_t weft__prof_names_at(weft__prof_names *n, uintptr_t pc, const weft__tr_frame **ret)
{
	/* A return address belongs to the call before it. */
	return n->symbols ? weft__tr_symbols_at(n->symbols, pc - 1, ret) : 0;
}

size_t weft__prof_map_of(const weft__prof_names *n, uintptr_t pc)
{
	size_t i = 0;
	while (i < n->maps.n && !(pc - 1 >= n->maps.at[i].start && pc - 1 < n->maps.at[i].limit))
		i++;
	return i;
}
