/* weft/weft.h - all of libweft: goroutines, channels and what goes with them, for C. */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include <weft/block.h>
#include <weft/chan.h>
#include <weft/ctx.h>
#include <weft/debug.h>
#include <weft/gc.h>
#include <weft/go.h>
#include <weft/net.h>
#include <weft/prof.h>
#include <weft/sync.h>
#include <weft/time.h>
#include <weft/trace.h>
#include <weft/types.h>

#endif
