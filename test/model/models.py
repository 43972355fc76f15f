"""The protocols of the runtime that locks do not explain, in every interleaving; and each of them with a piece left out, which
must be found to be wrong.  TAP.  What the names mean stands in the headers named at each.
"""
import sys

from explore import Model

TAKING, TAKEN = 1, 2


def border(barrier=True):
    """rt/sched/enter.h, invariant 1: a thread that is inside owns its proc; whoever takes it knows that it is outside."""
    thread = [
        ("store", "in_rt", 1),
        ("load", "attn", "attn"),
        ("if", lambda t: t["attn"] == 0, "inside"),
        ("lock", "retake"),
        ("load", "attn", "attn"),
        ("store", "retake", 0),
        ("if", lambda t: t["attn"] & TAKEN, "out"),
        ("label", "inside"),
        ("ghost", "ghost_thread", 1),
        ("ghost", "ghost_thread", 0),
        ("label", "out"),
        ("store", "in_rt", 0),
    ]
    taker = [
        ("lock", "retake"),
        ("rmw", "_", "attn", lambda old, t: old | TAKING),
        ("fence_all",) if barrier else ("label", "nothing"),
        ("load", "in_rt", "in_rt"),
        ("if", lambda t: t["in_rt"], "no"),
        ("ghost", "ghost_taker", 1),
        ("rmw", "_", "attn", lambda old, t: old | TAKEN),
        ("label", "no"),
        ("rmw", "_", "attn", lambda old, t: old & ~TAKING),
        ("store", "retake", 0),
    ]
    return Model(
        dict(in_rt=0, attn=0, retake=0, ghost_thread=0, ghost_taker=0), [thread + relabelled(thread), taker],
        always=lambda m: "both have the proc" if m["ghost_thread"] and m["ghost_taker"] else None)


def relabelled(code):
    """The same once more, with labels of its own."""
    return [tuple(x + "2" if n > 0 and i[0] in ("label", "goto") or n == 2 and i[0] == "if" else x for n, x in enumerate(i))
            for i in code]


def wake(full=True, again=True):
    """rt/sched/scheduler.h, invariant 2: a goroutine that is made runnable while a thread goes to sleep is not left alone."""
    submitter = [
        ("rmw", "_", "queue", lambda old, t: 1) if full else ("store", "queue", 1),
        ("load", "idle", "idle"),
        ("if", lambda t: t["idle"] == 0, "end"),
        ("load", "spinning", "spinning"),
        ("if", lambda t: t["spinning"] != 0, "end"),
        ("rmw", "was", "spinning", lambda old, t: old or 1),
        ("if", lambda t: t["was"] != 0, "end"),
        ("ghost", "ghost_woken", 1),
        ("label", "end"),
    ]
    parker = [
        ("load", "found", "queue"),
        ("if", lambda t: t["found"], "run"),
        ("rmw", "_", "idle", lambda old, t: old + 1),
        ("rmw", "_", "spinning", lambda old, t: old - 1),
        ("load", "found", "queue") if again else ("label", "nothing"),
        ("if", lambda t: t["found"] == 0, "sleep"),
        ("label", "run"),
        ("ghost", "ghost_ran", 1),
        ("label", "sleep"),
    ]
    return Model(
        dict(queue=0, idle=0, spinning=1, ghost_woken=0, ghost_ran=0), [submitter, parker],
        at_end=lambda m: None if m["ghost_woken"] or m["ghost_ran"] else "the goroutine waits, and nobody comes")


NONE, ON, WANTED = 0, 1, 2


def nap(look=True, again=True, clear_first=True, ends=True, outsider=True, late=False):
    """rt/sched/nap.h: what is made runnable while a thread naps is looked for when the nap is over, or at once when nobody else has a
    proc for it (outsider: the nap would last for ever).  late: the wish is a store, and may come after the nap."""
    def submitter(n):
        return [
            ("rmw", "_", "queue", lambda old, t: old + 1),
            ("load", "nap", "nap"),
            ("if", lambda t: t["nap"] == WANTED and not outsider, "end"),
            ("load", "spinning", "spinning"),
            ("if", lambda t: t["spinning"] == 0, "wake"),
            *([("load", "was", "nap"), ("if", lambda t: t["was"] != ON, "end"), ("store", "nap", WANTED)] if late else
              [("rmw", "was", "nap", lambda old, t: WANTED if old == ON else old)]),
            ("if", lambda t: t["was"] == NONE or not (outsider and ends), "end"),
            ("rmw", "_", "note", lambda old, t: 1),
            ("goto", "end"),
            ("label", "wake"),
            ("ghost", f"ghost_woken{n}", 1),
            ("label", "end"),
        ]

    clear = [("store", "note", 0), ("fence",)]
    first_look = [("load", "found", "queue") if look else ("label", "nothing"), ("if", lambda t: t.get("found"), "run")]
    napper = [ # it has given its proc back, and counts as spinning
        ("rmw", "_", "nap", lambda old, t: ON),
        ("label", "nap"),
        *(clear + first_look if clear_first else first_look + clear),
        ("await", "note", 1) if outsider else ("label", "nothing to await"),
        ("load", "found", "queue"),
        ("if", lambda t: t["found"], "run"),
        ("rmw", "was", "nap", lambda old, t: ON),
        ("if", lambda t: t["was"] == WANTED, "nap"),
        ("rmw", "_", "nap", lambda old, t: NONE),
        ("rmw", "_", "spinning", lambda old, t: old - 1),
        ("load", "found", "queue") if again else ("label", "nothing to look at"),
        ("if", lambda t: t.get("found", 0) == 0, "sleep"),
        ("label", "run"), # it takes what is there, and sleeps
        ("rmw", "_", "nap", lambda old, t: NONE),
        ("rmw", "_", "spinning", lambda old, t: 0),
        ("rmw", "_", "queue", lambda old, t: 0),
        ("label", "sleep"),
    ]
    return Model(
        dict(queue=0, spinning=1, nap=NONE, note=0, ghost_woken1=0, ghost_woken2=0),
        [submitter(1), relabelled(submitter(2)), napper],
        at_end=lambda m: None if m["queue"] == 0 or m["ghost_woken1"] or m["ghost_woken2"] else "the goroutine waits, and nobody comes")


OPEN, PARKED, FIRED = 0, 1, 2


def gate(exchange=True):
    """rt/wait/waiter.h: a wait with a deadline ends once, by the waker or the timer, and not before it is parked."""
    parker = [ # the next context on its thread: it holds the channel's lock
        ("ghost", "ghost_parked", 1),
        ("rmw", "was", "gate", lambda old, t: PARKED) if exchange else ("load", "was", "gate"),
        ("store", "lock", 0),
        ("if", lambda t: t["was"] != FIRED, "end"),
        ("ghost", "ghost_ready", lambda t, old: old + 1),
        ("label", "end"),
    ]
    timer = [
        ("rmw", "won", "won", lambda old, t: old or 2),
        ("if", lambda t: t["won"] != 0, "end"),
        ("rmw", "was", "gate", lambda old, t: FIRED),
        ("if", lambda t: t["was"] != PARKED, "end"),
        ("ghost", "ghost_ready", lambda t, old: old + 1),
        ("label", "end"),
    ]
    sender = [
        ("lock", "lock"),
        ("rmw", "won", "won", lambda old, t: old or 1),
        ("store", "lock", 0),
        ("if", lambda t: t["won"] != 0, "end"),
        ("ghost", "ghost_ready", lambda t, old: old + 1),
        ("label", "end"),
    ]
    return Model(
        dict(lock=1, gate=OPEN, won=0, ghost_parked=0, ghost_ready=0), [parker, timer, sender],
        always=lambda m: "woken before it is parked" if m["ghost_ready"] and not m["ghost_parked"]
        else "woken twice" if m["ghost_ready"] > 1 else None,
        at_end=lambda m: None if m["ghost_ready"] == 1 else "never woken")


NOTHING, READY, WAIT, GOROUTINE = 0, 1, 2, 3


def descriptor(look=True):
    """rt/sched/poller.h: a goroutine that waits for a descriptor is woken by readiness or by closing, whichever comes first."""
    waiter = [
        ("rmw", "was", "word", lambda old, t: NOTHING if old == READY else WAIT),
        ("if", lambda t: t["was"] == READY, "awake"),
        ("load", "closing", "closing") if look else ("label", "nothing"),
        ("if", lambda t: t.get("closing"), "awake"),
        ("ghost", "ghost_parked", 1),
        ("rmw", "was", "word", lambda old, t: GOROUTINE if old == WAIT else old),
        ("if", lambda t: t["was"] != WAIT, "awake"), # it has come meanwhile: ready again
        ("await", "ghost_woken", 1),
        ("label", "awake"),
    ]
    closer = [
        ("rmw", "_", "closing", lambda old, t: 1),
        ("rmw", "was", "word", lambda old, t: old if old == READY else NOTHING),
        ("if", lambda t: t["was"] != GOROUTINE, "end"),
        ("ghost", "ghost_woken", 1),
        ("label", "end"),
    ]
    return Model(dict(word=NOTHING, closing=0, ghost_parked=0, ghost_woken=0), [waiter, closer])


def glance(empty_first=True):
    """rt/wait/chan.h, weft__chan_may_recv: a channel that always has an element, or is closed, is never said to be neither."""
    looks = [("load", "n", "n"), ("load", "closed", "closed")]
    taster = (looks if empty_first else looks[::-1]) + [
        ("if", lambda t: t["n"] or t["closed"], "ready"),
        ("ghost", "ghost_missed", 1),
        ("label", "ready"),
    ]
    owner = [ # closes the channel, and takes the element
        ("lock", "lock"),
        ("store", "closed", 1),
        ("store", "lock", 0),
        ("lock", "lock"),
        ("store", "n", 0),
        ("store", "lock", 0),
    ]
    return Model(dict(n=1, closed=0, lock=0, ghost_missed=0), [taster, owner],
                 always=lambda m: "it was ready all the time" if m["ghost_missed"] else None)


CASES = [
    ("border", border(), True),
    ("border without the barrier", border(barrier=False), False),
    ("wake", wake(), True),
    ("wake with a plain store", wake(full=False), False),
    ("wake without a second look", wake(again=False), False),
    ("nap", nap(outsider=False), True),
    ("nap without a second look", nap(outsider=False, again=False), False),
    ("nap that is wished for late", nap(outsider=False, late=True), False),
    ("nap that is ended", nap(), True),
    ("nap that is not", nap(ends=False), False),
    ("nap without a look before", nap(look=False), False),
    ("nap that clears its note after the look", nap(clear_first=False), False),
    ("gate", gate(), True),
    ("gate that only looks", gate(exchange=False), False),
    ("descriptor", descriptor(), True),
    ("descriptor without a look at closing", descriptor(look=False), False),
    ("glance", glance(), True),
    ("glance at closed before empty", glance(empty_first=False), False),
]


def main():
    print(f"1..{len(CASES)}")
    bad = 0
    for n, (name, model, sound) in enumerate(CASES, 1):
        states, wrong = model.explore()
        good = (wrong is None) == sound
        bad += not good
        print(f"{'ok' if good else 'not ok'} {n} - {name}: {states} states, {wrong or 'nothing wrong'}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
