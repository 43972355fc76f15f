/* rt/api/naming.c - names of what goroutines wait for. */
#include <errno.h>

#include <weft/debug.h>

#include "rt/net/fd.h"
#include "rt/sched/objnames.h"

_Static_assert((int)WEFT_NAMES_MAX == (int)WEFT__OBJNAMES_MAX, "as many as the table has room for");
_Static_assert((int)WEFT_NAME_MAX == (int)WEFT__OBJNAME_BYTES_MAX, "as long as a name is kept");

int weft_name(const void *object, const char *name)
{
	if (!object)
		return -EINVAL;
	if (name && *name)
		return weft__objname_set(object, name);
	weft__objname_forget(object);
	return 0;
}

int weft_fd_name(weft_fd *f, const char *name)
{
	if (!f)
		return -EINVAL;
	return f->pd ? weft_name(f->pd, name) : -EPERM;
}
