/* rt/debug/profiles.c - profiles by name: /debug/pprof/NAME. */
#include <string.h>

#include <weft/debug.h>

#include "os/file.h"
#include "rt/debug/server.h"

bool weft__debug_profile_named(weft__con *c, const char *name)
{
	static const weft__head h = { .status = 200, .type = "text/plain; charset=utf-8" };
	if (strcmp(name, "goroutine") != 0 || weft__query_int(c->rq.query, "debug", 0) != 2)
		return false;
	int fd;
	int err = wo_scratch(&fd);
	if (err == 0) {
		err = weft_dump(fd);
		if (err == 0) {
			weft__con_answer_file(c, &h, fd);
			return true;
		}
		wo_close(fd);
	}
	weft__con_refuse(c, 500, "the profile could not be written: %s", strerror(-err));
	return true;
}
