/* fmt/carrier.h - the numbers of the carrier (docs/carrier.md): what libweft says beyond Go's format, in strings that
 * no event refers to.  For who writes pieces (rt/tr/carrier.c), reads them (read/v2/carried.c) and writes them again
 * (edit/carry.c). */
#ifndef WF_CARRIER_H
#define WF_CARRIER_H

enum { WF_PIECE_WAITS = 'w', WF_PIECE_FACTS = 'f' };

/* What an entry of a piece of waits begins with, and an object in it. */
enum { WF_ENTRY_NOTHING = 0, WF_ENTRY_SEVERAL = 1, WF_OBJECT_DEFINE = 2, WF_OBJECT_SLOT = 3 };
enum { WF_CARRIER_SLOTS = 64, WF_CARRIER_GUESSES = 256 };

enum {
	WF_FACT_TAKEN = 1,
	WF_FACT_STALLS = 2,
	WF_FACT_LOST = 3,
	WF_FACT_LABEL = 4,
	WF_FACT_WAITS = 5,
	WF_FACT_NAME = 6,
	/* What a part of a trace begins with. */
	WF_FACT_TASK = 8,
	WF_FACT_REGION = 9,
	WF_FACT_ORIGIN = 10,
	WF_FACT_REASON = 11,
	WF_FACT_PART = 12,
	/* Of any generation again. */
	WF_FACT_COMPUTES = 13,
};

#define WF_CARRIER_MARK "\0weft" /* what a piece begins with; its own 0 at the end does not count */
enum { WF_CARRIER_MARK_BYTES = 5 };

#endif
