/* fuzz/fuzz.h - what every fuzz target defines.  A target is one file fuzz_NAME.c; its seeds come from
 * tools/fuzz_seeds.py. Built twice: for libFuzzer (./dev fuzz NAME), and with replay.c, which the tests run over the
 * seeds and over test/fuzz/found/NAME: inputs that once broke something. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
