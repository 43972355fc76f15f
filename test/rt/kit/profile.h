/* rt/kit/profile.h - profiles as tests look at them: unpacked by protobuf-c, checked, and asked for sums. */
#ifndef RT_KIT_PROFILE_H
#define RT_KIT_PROFILE_H

#include <stdint.h>

#include "base/buf.h"

typedef struct kit_profile kit_profile;

/* A gzipped profile.proto; ends the process when it is none, or when an id in it leads nowhere. */
kit_profile *kit_profile_read(const wb_buf *b);
void kit_profile_free(kit_profile *p);

/* What weft_profile_write_to gives: debug 0, and as text, which lives until the next call. */
kit_profile *kit_profile_of(const char *name);
const char *kit_profile_text(const char *name, int debug);
/* A sink that appends to a wb_buf. */
int kit_to_buf(const void *at, size_t n, void *buf);

/* The place of a kind of value; ends the process when there is none. */
int kit_profile_value(const kit_profile *p, const char *type);
/* The sum of a value over the samples with this function in their stack (NULL: all) and this label, "key=value" (NULL:
 * all; "key=" alone: any that have the key). */
int64_t kit_profile_sum(const kit_profile *p, const char *type, const char *func, const char *label);
/* The same where the function is innermost. */
int64_t kit_profile_flat(const kit_profile *p, const char *type, const char *func);
/* Each sample: its labels, "key=value key=value", its stack, "function:line function:line ..", innermost first, with a
 * blank behind each, and its values.  Texts live until fn returns. */
typedef void kit_profile_fn(const char *labels, const char *stack, const int64_t *values, void *arg);
void kit_profile_each(const kit_profile *p, kit_profile_fn *fn, void *arg);
int64_t kit_profile_period(const kit_profile *p);
uint64_t kit_profile_samples(const kit_profile *p);

#endif
