#!/usr/bin/env python3
"""Measures libweft beside Go programs of the same shape, and writes bench/RUNTIME.md.

    run.py [--rounds N] [--only NAME[,NAME]] [--procs 1,2] [--seconds S]

A round runs every subject once in each language, one after the other, each in a process of its own; the language that goes
first changes with the round.  Tables show the least and the median of N rounds (7).  With one proc a program is pinned to
one processor; with two it is not.  S: how long the load generator of the echo server asks (1).
"""
import argparse
import mmap
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from report import ROOT, have_go, machine, out, say, table, write  # noqa: E402

BUILD = ROOT / "build"
OURS = BUILD / "bench/bench-rt"
OUR_TREE, OUR_ECHO = BUILD / "bench/bench-rt-tree", BUILD / "bench/bench-rt-echo"
LOAD = BUILD / "bench/bench-rt-load"
GOS = BUILD / "bench/bench-rt-go"
LANGUAGES = ["weft", "go"]

# name as the programs print it, what it is, goal with one proc, times as fast as Go then, goal with two procs
ROWS = [
    ("ping-pong", "unbuffered ping-pong, round trip", 120, 3.7, 150),
    ("yield", "yield", 16, 8, None),
    ("spawn-many", "spawn and finish, 1,000 at a time", 50, 6, 120),
    ("spawn-one", "spawn one and wait for it", 80, 5.5, None),
    ("buffered", "buffered channel (128), per element", 16, 3.7, None),
    ("select-4", "select over 4, per message", 110, 3.7, None),
    ("select-default", "select with default, all 4 empty", 15, 8, None),
    ("mutex", "mutex, 4 goroutines", 13, 1.5, 25),
    ("parked-create", "1,000,000 parked: create", 1600, 2, None),
    ("parked-floor", "the same, of the kernel alone: a guard and a page for each, one thread", None, None, None),
    ("parked-finish", "1,000,000 parked: wake and finish", 500, 1.4, None),
    ("call", "blocking call, entry and exit, over the bare call", 20, 3.1, None),
    ("timer", "timer start and stop", 50, 5.2, None),
    ("timer-reset", "timer reset and stop", None, None, None),
]
SUBJECTS = ["ping-pong", "yield", "spawn-many", "spawn-one", "buffered", "select-4", "select-default", "mutex", "parked", "parked-floor", "call",
            "timer", "timer-reset"]
FLOORS = {"parked-floor"}  # of no language and no scheduler
PARKED_BYTES_GOAL = 4250
NEVER_WORSE = 1.3  # two procs over one
CONNECTIONS = [1, 64, 1000]  # of the echo server


def build_go():
    source = ROOT / "bench/rt/go/main.go"
    if not GOS.exists() or source.stat().st_mtime > GOS.stat().st_mtime:
        env = {**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
        subprocess.run(["go", "build", "-o", GOS, source], check=True, env=env)


def settings(procs, cpu):
    """Environment and pinning of a program with that many procs."""
    env = {**os.environ, "WEFT_PROCS": str(procs), "GOMAXPROCS": str(procs)}
    return dict(env=env, preexec_fn=(lambda: os.sched_setaffinity(0, {cpu})) if procs == 1 else None)


def results(text):
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


PARKED_TOUCH_BYTES = 5 << 30  # somewhat more than a million of stacks


def warm(n_bytes):
    """What a host has taken back of a virtual machine's memory costs it several microseconds a page, whoever touches it first: so
    this process does, for all alike."""
    try:
        mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()
    except OSError as e:
        say(f"memory is not warmed up: {e}")


def run(language, subject, procs):
    if subject in ("parked", "parked-floor"):
        warm(PARKED_TOUCH_BYTES)
    command = [OUR_TREE] if subject == "tree" else [OURS, subject]
    if language == "go":
        command = [GOS, subject]
    p = subprocess.run(command, capture_output=True, text=True, timeout=300, **settings(procs, 0))
    if p.returncode:
        raise RuntimeError(f"{command[0].name} {subject}: status {p.returncode}: {p.stderr.strip()[-300:]}")
    return results(p.stdout)


class Samples(dict):
    """(language, procs, name) -> the values of all rounds."""

    def add(self, language, procs, found):
        for name, value in found.items():
            self.setdefault((language, procs, name), []).append(value)

    def show(self, language, procs, name, best=min):
        values = self.get((language, procs, name))
        return f"{number(best(values))} / {number(statistics.median(values))}" if values else "-"

    def best(self, language, procs, name, best=min):
        values = self.get((language, procs, name))
        return best(values) if values else None


def number(v):
    return f"{v:,.1f}" if abs(v) < 100 else f"{v:,.0f}"


def ratio(a, b):
    return f"{a / b:.1f}x" if a and b and b > 0 else "-"


# ---- one process after the other ----

def in_rounds(args, subjects, procs, take, samples):
    """Calls take(language, subject, n_procs) for all of them, round by round; a subject that fails is left out from then on."""
    faults = {}
    for r in range(args.rounds):
        for n in procs:
            for subject in subjects:
                for language in LANGUAGES if r % 2 else LANGUAGES[::-1]:
                    key = (language, subject, n)
                    if key in faults or language == "go" and not have_go:
                        continue
                    if subject in FLOORS and (language == "go" or n != procs[0]):
                        continue
                    try:
                        samples.add(language, n, take(*key))
                    except (RuntimeError, OSError, subprocess.TimeoutExpired) as e:
                        faults[key] = str(e)
                        say(f"FAILED {language} {subject}, {n} procs: {e}")
        say(f"round {r + 1} of {args.rounds}")
    return faults


def goal(limit, times):
    return (f"≤ {limit:,}" if limit else "") + (f", {times}x" if times else "")


def reached(ours, theirs, limit, times):
    """Which of the two goals, nanoseconds and times as fast as Go."""
    if ours is None or not limit:
        return "-"
    done = (["ns"] if ours <= limit else []) + (["ratio"] if theirs and theirs >= times * ours else [])
    return "both" if len(done) == 2 else "".join(done) or "no"


def section_time(args, procs, samples):
    rows = []
    for name, what, limit, times, _ in ROWS:
        ours, theirs = samples.best("weft", 1, name), samples.best("go", 1, name)
        if ours is None and theirs is None:
            continue
        fast = reached(ours, theirs, limit, times)
        rows.append([what, samples.show("go", 1, name), samples.show("weft", 1, name), ratio(theirs, ours), goal(limit, times), fast])
    if rows and 1 in procs:
        table("One proc", ["ns: least / median", "Go", "Weft", "Go / Weft", "goal", "reached"], rows)
    rows = []
    for name, what, _, _, limit in ROWS:
        ours, theirs, one = samples.best("weft", 2, name), samples.best("go", 2, name), samples.best("weft", 1, name)
        if ours is None and theirs is None:
            continue
        well = "-" if not (ours and one) else "yes" if ours <= one * NEVER_WORSE else "no"
        rows.append([what, samples.show("go", 2, name), samples.show("weft", 2, name), ratio(theirs, ours), goal(limit, None),
                     ratio(ours, one), well])
    if rows:
        table("Two procs", ["ns: least / median", "Go", "Weft", "Go / Weft", "goal", "over one proc", f"≤ {NEVER_WORSE}x"], rows)


def section_memory(samples):
    rows = [[f"{n}", samples.show("go", n, "parked-bytes"), samples.show("weft", n, "parked-bytes"), f"≤ {PARKED_BYTES_GOAL:,}"] for n in (1, 2)
            if samples.best("weft", n, "parked-bytes") or samples.best("go", n, "parked-bytes")]
    if rows:
        table("A parked goroutine: resident bytes, page tables included", ["procs", "Go", "Weft", "goal"], rows,
              "One million of them, guard pages on, limits of the kernel as they come. Go's stacks are copied when they grow and start with "
              "2 KiB; a stack that stays where it is takes a page.")


def section_tree(args, samples):
    faults = in_rounds(argparse.Namespace(rounds=min(3, args.rounds)), ["tree"], [1], run, samples)
    names = [("tree", "ns a node"), ("tree-heap-mb", "heap, MB"), ("tree-pause-max-us", "longest pause, µs")]
    table("Binary trees on the collected heap", ["least / median", "Go", "Weft (libgc)"],
          [[what, samples.show("go", 1, name), samples.show("weft", 1, name)] for name, what in names], "No goal: libgc is what it is.")
    return faults


# ---- echo ----

def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def echo(command, procs, connections, seconds):
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **settings(procs, 0))
    try:
        port = server.stdout.readline().split()
        if not port:
            raise RuntimeError(f"{command[0].name} does not serve")
        before = cpu_seconds(server.pid)
        load = subprocess.run([LOAD, port[1], str(connections), str(seconds)], capture_output=True, text=True, timeout=seconds + 60,
                              preexec_fn=lambda: os.sched_setaffinity(0, {os.cpu_count() - 1}))
        spent = cpu_seconds(server.pid) - before
        if load.returncode:
            raise RuntimeError(load.stderr.strip())
    finally:
        server.stdin.close()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    found = results(load.stdout)
    # The server's time includes the warm-up of 0.2 s.
    found["cpu-us"] = spent * 1e6 / (found["requests"] * (seconds + 0.2) / seconds)
    return {f"{connections}:{name}": value for name, value in found.items()}


def section_echo(args, procs, samples):
    def take(language, connections, n):
        command = {"weft": [OUR_ECHO], "go": [GOS, "echo"], "epoll": [LOAD, "serve"]}[language]
        return echo(command, n, connections, args.seconds)

    faults = in_rounds(args, CONNECTIONS, procs, take, samples)
    for _ in range(args.rounds):
        for connections in CONNECTIONS:
            samples.add("epoll", 1, take("epoll", connections, 1))
    rows = []
    for connections in CONNECTIONS:
        for language, n in [("epoll", 1)] + [(language, n) for n in procs for language in LANGUAGES[::-1]]:
            ours, theirs = (samples.best(x, n, f"{connections}:rps", max) for x in ("weft", "go"))
            rows.append([f"{connections} connection{'s' * (connections > 1)}, {dict(epoll='bare epoll loop', go='Go', weft='Weft')[language]}, {n} proc{'s' * (n > 1)}",
                         samples.show(language, n, f"{connections}:rps", max), samples.show(language, n, f"{connections}:p50-us"),
                         samples.show(language, n, f"{connections}:p99-us"), samples.show(language, n, f"{connections}:cpu-us"),
                         ratio(ours, theirs) if language == "weft" else "", "≥ 1.2x" if language == "weft" and n == 1 and connections > 1 else ""])
    table("TCP echo, 64-byte messages, one on its way per connection", ["best / median", "requests/s", "p50 µs", "p99 µs", "server CPU, µs each",
                                                                        "over Go", "goal"], rows,
          "The load generator (bench/rt/load.c) has the last processor to itself; a server with one proc has the first, one with two shares.")
    return faults


def main():
    p = argparse.ArgumentParser(prog="./dev bench rt")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--only", default=",".join(SUBJECTS + ["tree", "echo"]))
    p.add_argument("--procs", default="1,2")
    p.add_argument("--seconds", type=float, default=1)
    args = p.parse_args()
    only = args.only.split(",")
    if unknown := set(only) - set(SUBJECTS) - {"tree", "echo"}:
        sys.exit(f"run.py: no subject {', '.join(unknown)}; there are {', '.join(SUBJECTS)}, tree, echo")
    procs = [int(n) for n in args.procs.split(",")]
    if not OURS.exists():
        sys.exit(f"run.py: {OURS} is not there: ./dev build")

    where, samples = machine(), Samples()
    if have_go:
        build_go()
    faults = in_rounds(args, [s for s in SUBJECTS if s in only], procs, run, samples)
    out("# The runtime, measured beside Go")
    out()
    out("Written by `./dev bench rt` (bench/rt/run.py). Goals are for a quiet 2-core virtual machine; what counts is the ratio to Go in the same run. "
        "What was tried for speed, and what it gave: [NOTES.md](NOTES.md).")
    out()
    out(where)
    out()
    section_time(args, procs, samples)
    section_memory(samples)
    if "tree" in only:
        faults.update(section_tree(args, samples))
    if "echo" in only:
        faults.update(section_echo(args, procs, samples))
    for (language, subject, n), why in faults.items():
        out(f"Not measured: {language} {subject}, {n} proc{'s' * (n > 1)}: {why}")
        out()
    if set(only) == {*SUBJECTS, "tree", "echo"} and procs == [1, 2]:
        write(ROOT / "bench/RUNTIME.md")
    else:
        say("bench/RUNTIME.md is left as it is: it holds whole runs only")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
