#!/usr/bin/env python3
"""Measures what tracing costs, in libweft and in Go (runtime/trace) in the same run, and writes bench/TRACER.md.

    traced.py [--rounds N] [--only ping-pong,spawn-one,call,start,echo,off,cpu] [--seconds S]

With --only, the other parts of the report stay as they were measured last.

Each round runs a program untraced and traced, in both languages, one after the other; traces go to files in memory (/dev/shm).
Tables show the least and the median of N rounds (7). Programs with one proc are pinned to one processor, the threads that write
their traces included. `off` builds the runtime once more without its tracer (build-notracer), to see what that costs while no trace runs;
where Valgrind is installed it counts the instructions of both, too.  `cpu` is the CPU profiler.
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run as rt  # noqa: E402
from report import ROOT, have_go, machine, report, say, table, write  # noqa: E402

PARTS = ["ping-pong", "spawn-one", "call", "start", "echo", "off", "cpu"]
TRIPS = 1000000
EVENTS = {"ping-pong": 6, "spawn-one": 7}  # of a step
KEPT = ROOT / "build/bench-tracer"
WITHOUT = ROOT / "build-notracer"
OFF_SUBJECTS = [s for s in rt.SUBJECTS if not s.startswith("parked")]
COUNTED = [s for s in OFF_SUBJECTS if s != "call"]  # takes no number of steps
STEPS = {"spawn-many": (20, 60)}  # of 1,000 each
PROFILED = {"ping-pong": 20000000, "spawn-many": 20000, "buffered": 100000000}  # steps of a second
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None


def command_of(language, subject):
    return [rt.GOS if language == "go" else rt.OURS, subject]


def traced_settings(language, procs, trace):
    s = rt.settings(procs, 0)
    if trace:
        s["env"] = {**s["env"], {"go": "BENCH_TRACE", "weft": "WEFT_TRACE"}[language]: trace}
    return s


def run(command, **kwargs):
    p = subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)
    if p.returncode:
        raise RuntimeError(f"{command[0].name} {command[1:]}: status {p.returncode}: {p.stderr.strip()[-300:]}")
    return rt.results(p.stdout)


def bytes_an_event(language, trace):
    """Of as many round trips in both languages: sequence numbers grow with them."""
    run(command_of(language, "ping-pong") + [str(TRIPS)], **traced_settings(language, 1, trace))
    return os.path.getsize(trace) / (EVENTS["ping-pong"] * TRIPS)


class Samples(rt.Samples):
    def at(self, language, name):
        return self.get((language, 1, name))


def languages(round_number):
    order = ["weft", "go"] if have_go else ["weft"]
    return order if round_number % 2 else order[::-1]


def measure_steps(args, subjects, samples):
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        trace = os.path.join(folder, "trace")
        for r in range(args.rounds):
            for subject in subjects:
                for language in languages(r):
                    for kind, to in (("off", None), ("on", trace)):
                        found = run(command_of(language, subject), **traced_settings(language, 1, to))
                        samples.add(language, 1, {f"{subject}-{kind}": found[subject]})
                    if subject == "ping-pong" and r == 0:
                        samples.add(language, 1, {f"{subject}-bytes": bytes_an_event(language, trace)})
            say(f"round {r + 1} of {args.rounds}: {', '.join(subjects)}")


def least(samples, language, name):
    return samples.best(language, 1, name)


def difference(samples, language, subject, by=1):
    """Of the least, traced and not, by so much."""
    on, off = (least(samples, language, f"{subject}-{kind}") for kind in ("on", "off"))
    return (on - off) / by if on and off else None


def shown(value):
    return "-" if value is None else rt.number(value)


def yes(good):
    return "yes" if good else "no"


def section_events(samples, subjects):
    rows = []
    for subject, what in (("ping-pong", "ping-pong: an event, with its stack"), ("spawn-one", "spawn one and wait for it: an event, with its stack")):
        if subject in subjects:
            ours, theirs = (difference(samples, x, subject, EVENTS[subject]) for x in ("weft", "go"))
            good = [yes(ours <= 25), yes(not theirs or ours <= theirs / 3)]
            rows.append([what + ", ns", shown(theirs), shown(ours), rt.ratio(theirs, ours), "≤ 25 and ≤ 1/3 of Go's", "yes" if good == ["yes"] * 2 else ", ".join(good)])
    if "ping-pong" in subjects:
        ours, theirs = (least(samples, x, "ping-pong-bytes") for x in ("weft", "go"))
        rows.append(["ping-pong, 1,000,000 round trips: bytes of the file, by event", f"{theirs:.3f}" if theirs else "-", f"{ours:.3f}", rt.ratio(theirs, ours), "≤ Go's", yes(not theirs or ours <= theirs)])
        for kind, goal in (("off", None), ("on", 240)):
            ours, theirs = (least(samples, x, f"ping-pong-{kind}") for x in ("weft", "go"))
            rows.append([f"ping-pong, {'traced' if kind == 'on' else 'not traced'}: a round trip of 6 events, ns", samples.show("go", 1, f"ping-pong-{kind}"),
                         samples.show("weft", 1, f"ping-pong-{kind}"), rt.ratio(theirs, ours), f"≤ {goal}" if goal else "", yes(ours <= goal) if goal else ""])
    if "call" in subjects:
        ours, theirs = (difference(samples, x, "call") for x in ("weft", "go"))
        rows.append(["a blocking call of 2 events: traced less not traced, ns", shown(theirs), shown(ours), rt.ratio(theirs, ours), "≤ 35", yes(ours <= 35)])
    table("Recording", ["least, or least / median", "Go", "Weft", "Go / Weft", "goal", "reached"], rows,
          "One proc. The time of an event is the difference of the least times with and without a trace, by the events of a step. "
          "The six events take the same bytes in both traces; sequence numbers begin anew, and small, with each generation, and a slower program has more of those.")


def section_start(args, samples):
    for r in range(args.rounds):
        for language in languages(r):
            samples.add(language, 2, run(command_of(language, "start"), **rt.settings(2, 0)))
        say(f"round {r + 1} of {args.rounds}: start")
    rows = []
    for name, what, goal in (("start-us", "the call that starts it", None), ("start-gap-off-us", "longest time that a running goroutine stands still in 30 ms: no trace", None),
                             ("start-gap-us", "... in which a trace begins", 2000), ("start-gap-on-us", "... in 1.3 s, in which it begins and a generation ends", None)):
        ours = samples.best("weft", 2, name, statistics.median)
        rows.append([what, samples.show("go", 2, name), samples.show("weft", 2, name), f"≤ {goal:,}" if goal else "", yes(ours <= goal) if goal else ""])
    table("A trace begins beside 100,000 parked goroutines", ["µs: least / median", "Go", "Weft", "goal (median)", "reached"], rows,
          "Two procs, two processors. The goroutine looks at the clock again and again, 15 times each (3 times for the last line), of which the median is taken; "
          "what the machine takes from it counts, too. libweft stops no world for it.")


def echo(language, trace, seconds):
    command = {"weft": [rt.OUR_ECHO], "go": [rt.GOS, "echo"]}[language]
    old = dict(os.environ)
    if trace:
        os.environ[{"go": "BENCH_TRACE", "weft": "WEFT_TRACE"}[language]] = trace
    try:
        return rt.echo(command, 1, 64, seconds)
    finally:
        os.environ.clear()
        os.environ.update(old)


def section_echo(args, samples):
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        trace = os.path.join(folder, "trace")
        for r in range(args.rounds):
            for language in languages(r):
                for kind, to in (("off", None), ("on", trace)):
                    samples.add(language, 1, {f"echo-{kind}-{name.split(chr(58))[1]}": value for name, value in echo(language, to, args.seconds).items()})
            say(f"round {r + 1} of {args.rounds}: echo")
    rows = []
    for language in ("go", "weft"):
        off, on = (samples.best(language, 1, f"echo-{kind}-rps", statistics.median) for kind in ("off", "on"))
        cpu_off, cpu_on = (samples.best(language, 1, f"echo-{kind}-cpu-us", statistics.median) for kind in ("off", "on"))
        if not off or not on:
            continue
        loss = 100 * (1 - on / off)
        rows.append([dict(go="Go", weft="Weft")[language], samples.show(language, 1, "echo-off-rps", max), samples.show(language, 1, "echo-on-rps", max),
                     f"{loss:.1f} %", f"{100 * (cpu_on / cpu_off - 1):.1f} %", "≤ 5 %" if language == "weft" else "", yes(loss <= 5) if language == "weft" else ""])
    table("TCP echo under full load, 64 connections, 64 bytes", ["best / median", "requests/s, not traced", "requests/s, traced", "fewer (medians)",
                                                                  "more CPU a request (medians)", "goal", "reached"], rows,
          "One proc; the server, the thread that writes its trace included, has one processor and the load generator the other.")


def build_without():
    if not (WITHOUT / "build.ninja").exists():
        subprocess.run(["meson", "setup", WITHOUT, "-Dc_args=-DWEFT__TR_NONE"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "CC": "gcc"})
    subprocess.run(["ninja", "-C", WITHOUT, "bench/bench-rt"], check=True, stdout=subprocess.DEVNULL)
    return WITHOUT / "bench/bench-rt"


def instructions(program, subject):
    """Of a step, or None: two runs of Valgrind, whose difference has no start and no end in it."""
    if not shutil.which("valgrind"):
        return None
    counted = []
    few, more = STEPS.get(subject, (2000, 6000))
    for n in (few, more):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, subject, str(n)]
        p = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True, **rt.settings(1, 0))
        counted.append(int(re.search(r"Collected : (\d+)", p.stderr).group(1)))
    return (counted[1] - counted[0]) / ((more - few) * (1000 if subject in STEPS else 1))


def section_off(args, samples):
    programs = {"with": rt.OURS, "without": build_without()}
    for r in range(args.rounds):
        for subject in OFF_SUBJECTS:
            for kind in ("with", "without") if r % 2 else ("without", "with"):
                samples.add(kind, 1, {subject: run([programs[kind], subject], **rt.settings(1, 0))[subject]})
        say(f"round {r + 1} of {args.rounds}: off")
    rows = []
    for subject in OFF_SUBJECTS:
        a, b = (samples.best(kind, 1, subject) for kind in ("without", "with"))
        counts = [instructions(programs[kind], subject) if subject in COUNTED else None for kind in ("without", "with")]
        rows.append([subject, samples.show("without", 1, subject), samples.show("with", 1, subject), f"{100 * (b / a - 1):+.1f} %", yes(b <= a * 1.01),
                     " / ".join(shown(c) for c in counts)])
    table("The tracer compiled in, and no trace", ["ns: least / median", "runtime without a tracer", "with it", "difference of the least", "≤ 1 %",
                                                   "instructions a step: without / with"], rows,
          "The other build has `weft__tr_on()` as a constant, so that the compiler drops every call of the tracer. Code moves as well, which alone is worth up to a "
          "tenth either way on programs of some ten nanoseconds a step: where the instructions are the same, the difference in time is that.")


def section_cpu(args, samples):
    kinds = {"off": None, "100 Hz": "hz=100", "10,000 Hz": "hz=10000"}
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        for r in range(args.rounds):
            for subject, n in PROFILED.items():
                for kind, options in kinds.items() if r % 2 else reversed(kinds.items()):
                    s = rt.settings(1, 0)
                    if options:
                        s["env"] = {**s["env"], "WEFT_CPUPROFILE": os.path.join(folder, "cpu.prof") + "," + options}
                    samples.add("weft", 1, {f"{subject}-{kind}": run([rt.OURS, subject, str(n)], **s)[subject]})
            say(f"round {r + 1} of {args.rounds}: cpu")
    rows = []
    for subject in PROFILED:
        off, usual, most = (least(samples, "weft", f"{subject}-{kind}") for kind in kinds)
        rows.append([subject] + [samples.show("weft", 1, f"{subject}-{kind}") for kind in kinds] +
                    [f"{100 * (usual / off - 1):+.2f} %", yes(usual <= off * 1.005), f"{100 * (most / off - 1):+.2f} %"])
    table("The CPU profiler", ["ns: least / median", "off", "100 Hz", "10,000 Hz", "difference at 100 Hz", "≤ 0.5 %", "at 10,000 Hz"], rows,
          "One proc, runs of about a second. Kernels look at a thread's CPU time at each tick, so that 10,000 Hz is a handler call at each tick, that counts for many samples.")


# ---- the report: parts may be measured one by one, and are joined when all are there ----

def keep(part, measure):
    del report[:]
    where = machine()
    measure()
    KEPT.mkdir(exist_ok=True)
    (KEPT / part).write_text("\n".join(report + ["Measured: " + where, ""]))


def join():
    parts = [KEPT / part for part in ("steps", "start", "echo", "off", "cpu")]
    missing = [p.name for p in parts if not p.exists()]
    report[:] = ["# What tracing costs, measured beside Go", "",
                 "Written by `./dev bench tracer` (bench/rt/traced.py). Goals are for a quiet 2-core virtual machine; what counts is the ratio to Go's "
                 "`runtime/trace` in the same run.", ""] + [line for p in parts if p.exists() for line in p.read_text().split("\n")]
    if missing:
        report.append(f"Not measured: {', '.join(missing)}.\n")
    write(ROOT / "bench/TRACER.md")


def main():
    p = argparse.ArgumentParser(prog="./dev bench tracer")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--only", default=",".join(PARTS))
    p.add_argument("--seconds", type=float, default=1)
    args = p.parse_args()
    only = args.only.split(",")
    if unknown := set(only) - set(PARTS):
        sys.exit(f"traced.py: no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if not rt.OURS.exists():
        sys.exit(f"traced.py: {rt.OURS} is not there: ./dev build")
    samples = Samples()
    if have_go:
        rt.build_go()
    steps = [s for s in ("ping-pong", "spawn-one", "call") if s in only]
    if steps:
        keep("steps", lambda: (measure_steps(args, steps, samples), section_events(samples, steps)))
    for part, section in (("start", section_start), ("echo", section_echo), ("off", section_off), ("cpu", section_cpu)):
        if part in only:
            keep(part, lambda: section(args, samples))
    join()


if __name__ == "__main__":
    main()
