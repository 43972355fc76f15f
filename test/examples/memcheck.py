"""Examples under Valgrind's memcheck, traced and not: no invalid access, no decision on what was never set, nothing lost.

usage: memcheck.py VALGRIND EXAMPLES-DIR

Those that collect (trees) or answer until they are stopped are left out; the collector reads what nobody has set, on purpose.
TAP.
"""
import os
import subprocess
import sys
import tempfile

VALGRIND, DIR = sys.argv[1:3]
FOUND = 99
EXAMPLES = {"hello": ["{trace}"], "flight": ["{trace}"], "pipeline": ["100"], "requests": [], "sieve": ["60"], "workers": ["200"]}


def problem(name, arguments, traced, folder):
    trace = os.path.join(folder, "trace")
    env = dict(os.environ, WEFT_PROCS="2")
    if traced:
        env["WEFT_TRACE"] = trace
    command = [VALGRIND, "-q", f"--error-exitcode={FOUND}", "--leak-check=full", "--errors-for-leak-kinds=definite", os.path.join(DIR, name)]
    done = subprocess.run(command + [a.format(trace=trace) for a in arguments], capture_output=True, text=True, errors="replace", timeout=200, env=env)
    if done.returncode != 0:
        return f"status {done.returncode} ({FOUND}: Valgrind found something)\n{done.stderr}"
    return None if done.stdout else "it printed nothing"


def main():
    # What begins a trace by itself can not be traced from outside.
    todo = [(n, a, t) for n, a in EXAMPLES.items() for t in (False, True) if not (t and "{trace}" in a)]
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
