#!/usr/bin/env python3
"""--filter where answers are not lists of rows: what it lets through and what it does not are all there is.  Prints TAP.

    narrow.py WEFT CORPUS
"""
import json
import os
import pathlib
import subprocess
import sys

import tap

WEFT, CORPUS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
NAMES = ["go1.26-httpload", "go1.21-httpload", "go1.23-gcheavy", "go1.25-annotate", "go1.27-longrun"]
FILTERS = ["fn:main", "g:1..20", "fn:net/http | fn:alloc", "dur:>2ms"]


def ask(*words, status=0):
    p = subprocess.run([WEFT, *map(str, words)], capture_output=True, timeout=120)
    assert p.returncode == status, f"{words}: {p.returncode}: {p.stderr.decode()[:300]}"
    return json.loads(p.stdout) if status == 0 and "--json" in words else p.stdout.decode()


def three(command, name, f, *more):
    """The answers without a filter, with one, and with its opposite."""
    path = CORPUS / f"{name}.trace"
    for words in ([], [f"--filter={f}"], [f"--filter=-({f})"]):
        yield ask(command, "--json", *words, *more, path)


def test_counters_add_up():
    some = 0
    for name in NAMES:
        for f in FILTERS:
            whole, part, rest = (x["counters"] for x in three("counters", name, f))
            for c in ("running", "syscall", "runnable", "waiting", "gc_waiting"):
                for a, b, d in zip(whole[c]["last"], part[c]["last"], rest[c]["last"]):
                    assert a == b + d, (name, f, c)
                    some += 0 < b < a
            for c in ("heap", "goal", "procs_running", "gomaxprocs"):
                assert whole[c] == part[c] == rest[c], (name, c)
    assert some > 100


def test_what_assists_lose_adds_up():
    some = 0
    for name in NAMES:
        for f in FILTERS:
            whole, part, rest = (x["lost"] for x in three("mmu", name, f, "--flags=assist"))
            assert abs(whole["assist"] - part["assist"] - rest["assist"]) < 0.02 * whole["assist"] + 1e-5, (name, f, whole, part, rest)
            some += 0 < part["assist"] < whole["assist"]
    assert some, "no trace has assists of several goroutines"


def test_requests_add_up():
    some = 0
    for name in NAMES:
        for f in ["dur:>1ms", "fn:main", "task:order | task:json", "dur:>1ms g:>30"]:
            whole, part, rest = (x["n"] for x in three("requests", name, f))
            assert whole == part + rest, (name, f, whole, part, rest)
            some += 0 < part < whole
    assert some > 3


def test_why_explains_what_the_filter_chooses():
    path = CORPUS / "go1.26-httpload.trace"
    rows = ask("goroutines", "--json", "--filter=fn:net/http", path)["goroutines"]
    most = max(r["total_ns"] for r in rows)
    assert ask("why", "--json", "--filter=fn:net/http", path)["g"] in [r["id"] for r in rows if r["total_ns"] == most]
    tasks = ask("tasks", "--json", path)["tasks"]
    name = tasks[0]["type"] if "type" in tasks[0] else tasks[0]["name"]
    slow = ask("why", "--json", f"--task={name}", path)
    below = ask("why", "--json", f"--task={name}", f"--filter=dur:<{slow['to_ns'] - slow['from_ns']}ns", path)
    assert below["to_ns"] - below["from_ns"] < slow["to_ns"] - slow["from_ns"]
    ask("why", "--filter=fn:nobody", path, status=2)
    ask("mmu", "--filter=state:nothing", path, status=2)
    ask("counters", "--filter=waker:1", path, status=2)


sys.exit(tap.run(globals()))
