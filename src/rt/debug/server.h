/* rt/debug/server.h - the debug endpoint (weft/debug.h) from the inside: who answers what. */
#ifndef WEFT__SERVER_H
#define WEFT__SERVER_H

#include "os/trust.h"
#include "rt/debug/con.h"

enum { WEFT__SECONDS_MAX = 600 }; /* that a request may record */

/* The requests; each sends one whole answer, on a goroutine of its own. */
#define ROUTE(path, name, methods, says) void weft__debug_##name(weft__con *c);
#include "rt/debug/routes.def"

/* Answers a request that has been read, or refuses it; `address` is the server's own. */
void weft__debug_answer(weft__con *c, const wo_trust *t, const char *address);
/* Says why it could not be read. */
void weft__debug_refuse(weft__con *c, int status);

/* Answers with the profile of that name; false, and nothing is sent, when there is none. */
bool weft__debug_profile_named(weft__con *c, const char *name);

/* What `seconds` asks for, in ns: `otherwise` when it is none or not positive; -1, and refused, when it is more than
 * WEFT__SECONDS_MAX. */
weft_ns weft__debug_seconds(weft__con *c, weft_ns otherwise);

/* When the program starts: serves at WEFT_DEBUG_ADDR, if that is set, and says where on standard error.  In a
 * goroutine, outside the runtime.  An address that cannot be had is a fatal error. */
void weft__debug_from_env(void);

#endif
