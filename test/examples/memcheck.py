"""Examples under Valgrind's memcheck, traced and not: no invalid access, no decision on what was never set, nothing lost.

usage: memcheck.py VALGRIND EXAMPLES-DIR

Those that answer until they are stopped, or take long, are left out. What libgc does to find pointers is in libgc.supp.
TAP.
"""
import os
import subprocess
import sys
import tempfile

VALGRIND, DIR = sys.argv[1:3]
FOUND = 99
EXAMPLES = {"hello": ["{trace}"], "flight": ["{trace}"], "pipeline": ["100"], "requests": [], "sieve": ["60"],
            "workers": ["200"], "trees": ["6"], "philosophers": []}
# What begins a trace by itself can not be traced from outside; philosophers would tell nothing new.
TRACED = {"pipeline", "requests", "sieve", "workers", "trees"}
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libgc.supp")


def problem(name, arguments, traced, folder):
    trace = os.path.join(folder, "trace")
    env = dict(os.environ, WEFT_PROCS="2")
    if traced:
        env["WEFT_TRACE"] = trace
    command = [VALGRIND, "-q", f"--error-exitcode={FOUND}", "--leak-check=full", "--errors-for-leak-kinds=definite",
               f"--suppressions={SUPPRESSIONS}", os.path.join(DIR, name)]
    done = subprocess.run(command + [a.format(trace=trace) for a in arguments], capture_output=True, text=True, errors="replace", timeout=200, env=env)
    if done.returncode != 0:
        return f"status {done.returncode} ({FOUND}: Valgrind found something)\n{done.stderr}"
    return None if done.stdout else "it printed nothing"


def main():
    todo = [(n, a, t) for n, a in EXAMPLES.items() for t in (False, True) if not t or n in TRACED]
    print(f"1..{len(todo)}")
    bad = 0
    for i, (name, arguments, traced) in enumerate(todo, 1):
        with tempfile.TemporaryDirectory() as folder:
            why = problem(name, arguments, traced, folder)
        bad += why is not None
        print(f"{'not ok' if why else 'ok'} {i} - {name}{', traced' if traced else ''}", flush=True)
        for line in (why or "").splitlines()[:40]:
            print("# " + line)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
