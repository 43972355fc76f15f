"""Cases of the runtime, run with WEFT_TRACE: whatever they do, and however they end, their traces are sound.

usage: traced.py WEFT SECOND PROGRAM..

PROGRAMs are those of test/rt. `weft check` reads each trace, the second validator does (test/kit/second.h), and Go's own reader when
WEFT_GO names it (test/interop/with_go.sh). A sample: SAMPLE cases of each program, other ones each time. WEFT_SEED=N takes the same
again; WEFT_SAMPLE=N more or less, 0 all of them. TAP.
"""
import os
import random
import subprocess
import sys
import tempfile

WEFT, SECOND, PROGRAMS = sys.argv[1], sys.argv[2], sys.argv[3:]
GO = os.environ.get("WEFT_GO")
SAMPLE = 8
SECONDS = 60
# Too much for a trace within a test's time, or with a trace of their own.
LEFT_OUT = {"rt_trace", "rt_crowd", "rt_debug"}


def run(*args, **kwargs):
    return subprocess.run(args, capture_output=True, text=True, errors="replace", **kwargs)


def cases(program):
    return run(program, "--list").stdout.split()


def problem(program, case, seed, trace):
    command = [program, "--here", "--mode=hard", f"--seed={seed}", case]
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS,
                       env=dict(os.environ, WEFT_TRACE=trace))
    except subprocess.TimeoutExpired:
        return "it does not end: WEFT_TRACE=FILE " + " ".join(command)
    if not os.path.exists(trace) or os.path.getsize(trace) == 0: # no scheduler, or its process became another one
        return None
    for reader in ([WEFT, "check", trace], [SECOND, trace]) + (([GO, "parsed", trace],) if GO else ()):
        done = run(*reader)
        if done.returncode != 0:
            return f"{reader[0]}: {done.stderr}\n{done.stdout[-2000:]}\nWEFT_TRACE=FILE " + " ".join(command)
    return None


def main():
    seed = int(os.environ.get("WEFT_SEED") or random.randrange(1, 1 << 31))
    sample = int(os.environ.get("WEFT_SAMPLE") or SAMPLE)
    chosen = random.Random(seed)
    todo = []
    for program in PROGRAMS:
        if os.path.basename(program) in LEFT_OUT:
            continue
        names = cases(program)
        todo += [(program, name) for name in (chosen.sample(names, min(sample, len(names))) if sample else names)]
    print(f"1..{len(todo)}\n# WEFT_SEED={seed}")
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for i, (program, name) in enumerate(todo, 1):
            trace = os.path.join(folder, "trace")
            why = problem(program, name, seed + i, trace)
            print(f"{'not ok' if why else 'ok'} {i} - {os.path.basename(program)}, {name}", flush=True)
            if why:
                bad += 1
                print("\n".join("# " + line for line in why.splitlines()[:20]))
            if os.path.exists(trace):
                os.unlink(trace)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
