"""Every program of examples/, traced without a change to it: what it prints, and what its trace is.

usage: run.py WEFT SECOND EXAMPLES-DIR GO-OR-EMPTY

Each runs with one proc, with two, and with rare schedules forced; its trace must be sound for `weft check` and for the
second validator (test/kit/second.h).  What is in that of two procs is looked at and, where Go is installed, must be
accepted by Go's own reader.  TAP.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

WEFT, SECOND, DIR, GO = (sys.argv[1:] + [""])[:4]
MODES = {"one": ("1", ""), "two": ("2", ""), "hard": ("2", "hard=1,seed=7")}

# What must be in the summary of the trace: goroutines at least, and start functions.
EXAMPLES = {
    "deadlock": ([], 3, {"start", "move"}),
    "echo": ([], 102, {"start", "accept_all", "serve", "talk"}),
    "endpoint": (["127.0.0.1:0"], 6, {"start", "accept_all", "work"}),
    "flight": (["{trace}"], 5, {"start", "serve"}),
    "hello": (["{trace}"], 2, {"start", "hello"}),
    "httpd": ([], 18, {"start", "accept_all", "serve", "ask"}),
    "million": (["2000"], 2001, {"start", "wait_for_turn"}),
    "philosophers": (["20"], 6, {"start", "dine"}),
    "pipeline": (["200"], 13, {"start", "make", "square", "close_after"}),
    "profiling": (["{folder}"], 5, {"start", "work"}),
    "requests": ([], 401, {"start", "serve", "ask"}),
    "sieve": (["60"], 62, {"start", "generate", "sift"}),
    "timeouts": ([], 8, {"start", "ask_replica", "beat"}),
    "timers": ([], 32, {"start", "bite", "sleep_and_say"}),
    "trees": (["9"], 4, {"start", "grow"}),
    "workers": (["500"], 9, {"start", "work"}),
}

# Those that end otherwise than with 0 and in silence: the status, and what standard error must begin with.
ENDS = {"deadlock": (2, "fatal error: all goroutines are asleep - deadlock!\n")}

# What must be said of the trace.
SAID = {"deadlock": {"waits": "1 circle", "findings": "2 goroutines wait in a circle"}}


# Tasks that must be in it, by type, and how many.
TASKS = {"httpd": {"request": 200}, "requests": {"request": 200}}
# The flight recorder's snapshot is of the first request that was slow: on a machine with much else to do an early one.
FIRST_SLOW = re.compile(r"request (\d+) was slow")


# Functions and labels that `go tool pprof` must find in the profiles that it writes.
PROFILES = {
    "profiling": {
        "cpu": {"is_prime", "count_primes", "work", "customer:bulk", "customer:urgent"},
        "goroutine": {"start", "work"},
        "heap": {"weft_new", "write_down", "work"},
        "block": {"weft_lock", "write_down", "work"},
        "mutex": {"weft_unlock", "write_down", "work"},
    }
}


def profile_problem(name, folder):
    for kind, wanted in PROFILES.get(name, {}).items():
        path = os.path.join(folder, kind + ".prof")
        for report in ("-top", "-raw"):
            done = run([GO, "tool", "pprof", report, path])
            if done.returncode != 0:
                return f"go tool pprof {report} {kind}: {done.stderr}"
        found = re.sub(r"(\w+):\[(\w+)\]", r"\1:\2", done.stdout)
        missing = {w for w in wanted if not re.search(rf"\b{w}\b", found)}
        if missing:
            return f"{kind}.prof lacks {sorted(missing)}:\n{done.stdout}"
    return None


def run(args, **kwargs):
    return subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **kwargs)


def problem(name, mode, folder):
    args, goroutines, functions = EXAMPLES[name]
    trace = os.path.join(folder, f"{name}-{mode}.trace")
    procs, debug = MODES[mode]
    env = dict(os.environ, WEFT_PROCS=procs, WEFT_DEBUG=debug)
    if "{trace}" not in args: # it traces itself
        env["WEFT_TRACE"] = trace
    done = run([os.path.join(DIR, name)] + [a.format(trace=trace, folder=folder) for a in args], env=env)
    status, said = ENDS.get(name, (0, ""))
    if done.returncode != status or not done.stderr.startswith(said) or (done.stderr and not said):
        return f"status {done.returncode}: {done.stderr}"
    for words in ([WEFT, "check"], [SECOND]):
        valid = run([*words, trace])
        if valid.returncode != 0:
            return f"{words}: {valid.stdout}{valid.stderr}"
    return content_problem(name, trace, folder, goroutines, functions, done.stdout) if mode == "two" else None


def content_problem(name, trace, folder, goroutines, functions, said):
    found = json.loads(run([WEFT, "goroutines", "--json", "--limit=0", trace]).stdout)["goroutines"]
    names = {g["name"] for g in found}
    if not functions <= names:
        return f"start functions are {sorted(names)}, not {sorted(functions)}"
    if len(found) < goroutines:
        return f"{len(found)} goroutines, not {goroutines} at least"
    tasks = {t["name"]: t["n"] for t in json.loads(run([WEFT, "tasks", "--json", trace]).stdout)["types"]}
    slow = FIRST_SLOW.search(said)
    wanted = {"request": int(slow.group(1)) + 1} if slow else TASKS.get(name, {})
    if any(tasks.get(task, 0) < n for task, n in wanted.items()):
        return f"tasks are {tasks}, not {wanted}"
    for command, text in SAID.get(name, {}).items():
        if text not in (answer := run([WEFT, command, trace]).stdout):
            return f"weft {command}: {answer}"
    if GO:
        go = run([GO, "tool", "trace", "-d=parsed", trace])
        if go.returncode != 0:
            return f"Go's reader: {go.stderr}"
        return profile_problem(name, folder)
    return None


def main():
    print(f"1..{len(EXAMPLES) * len(MODES)}")
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for i, (name, mode) in enumerate(((n, m) for n in EXAMPLES for m in MODES), 1):
            why = problem(name, mode, folder)
            print(f"{'not ok' if why else 'ok'} {i} - {name}, {mode}")
            if why:
                bad += 1
                print("\n".join("# " + line for line in why.splitlines()[:20]))
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
