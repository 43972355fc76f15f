#!/usr/bin/env python3
"""Every rule of `weft findings` finds what was planted, in the right place, and nothing in the twin without it; and of what healthy
programs do, nothing is severe.

    planted.py WEFT PLANTED CORPUS

PLANTED/index.tsv: trace, rule, least severity (-: the rule must be silent), a text that the finding must name.  CORPUS has the
traces of test/data; those of programs that are made to hurt, and broken ones, are not healthy.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import written

# What these do is what the rules are about: they leak, collect, stop the world and compute more than there are procs for.
UNHEALTHY = ("leak", "locks", "gcheavy", "gotest", "cpuprof", "procs")
SEVERE = 50
weft, planted, corpus = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
n = failed = 0


def result(ok, name, why=""):
    global n, failed
    n += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {n} {name}" + ("" if ok else f"\n# {why}"))


def findings(path, *options):
    p = subprocess.run([weft, "findings", "--json", *options, path], capture_output=True, timeout=60)
    return json.loads(p.stdout) if p.stdout else None


def short(d):
    return ", ".join(f"{f['rule']} {f['severity']}" for f in d["findings"]) or "nothing"


def names(f):
    """Everything that a finding names."""
    stacks = " ".join(frame["func"] for s in f["stacks"] for frame in s["stack"])
    return " ".join([f["sentence"], stacks] + [g["name"] for g in f["goroutines"]])


rows = [line.split("\t") for line in (planted / "index.tsv").read_text().splitlines()[1:]]
seen = set()
for trace, rule, least, at, note in rows:
    d = findings(planted / f"{trace}.trace.zst")
    mine = [f for f in d["findings"] if f["rule"] == rule]
    seen.add(rule)
    if least == "-":
        result(not mine, f"{trace}: {rule} is silent: {note}", short(d))
        continue
    right = [f for f in mine if f["severity"] >= int(least) and (at == "-" or at in names(f))]
    result(right, f"{trace}: {rule} of {least} or more, at {at}: {note}", short(d))
    for f in right[:1]:
        sound = all(0 <= r["from_ns"] < r["to_ns"] <= d["looked_at"]["to_ns"] for r in f["ranges"])
        if trace.startswith("c-"):
            result(not f["probable"], f"{trace}: libweft's trace says so for sure", f["sentence"])
        result(sound and "{" not in f["sentence"] and f["coverage"]["seen"] <= f["coverage"]["of"], f"{trace}: ranges, sentence and coverage hold together", json.dumps(f)[:600])

for path in sorted(corpus.glob("*.trace")):
    program = path.stem.split("-", 1)[1]
    d = findings(path)
    if not d or d["ended"] or program.startswith(UNHEALTHY) or any(x in program for x in ("cut", "bad")):
        continue
    result(d["worst"] <= SEVERE, f"{path.stem}: nothing severe", short(d))

# What no program does at will is written: found with these values, and silent in the twin.
def pair(name, rule, path, least, values, *options):
    d = findings(path, *options)
    mine = [f for f in d["findings"] if f["rule"] == rule]
    if least is None:
        return result(not mine, f"{name}: {rule} is silent", short(d))
    said = mine[0]["values"] if mine else {}
    right = len(mine) == 1 and mine[0]["severity"] >= least and values.items() <= said.items()
    result(right, f"{name}: {rule} of {least} or more", f"{short(d)}; {said}")


with tempfile.TemporaryDirectory() as tmp:
    path, ms = pathlib.Path(tmp) / "t", written.MS
    pair("twelve changes in 13 ms", "procs-changed", written.procs(weft, path, [2, 8] * 6 + [2]), 20, {"changes": 12, "least": 2, "most": 8})
    pair("told as often, and the same", "procs-changed", written.procs(weft, path, [4] * 13), None, {})
    pair("a megabyte in 10.8 ms", "trace-density", written.logs(weft, path, 1200, 9000), 50, {"events": 1204})
    pair("whole", "trace-health", path, None, {})
    torn = pathlib.Path(tmp) / "torn"
    torn.write_bytes(path.read_bytes()[:-300_000])
    pair("a quarter is missing", "trace-health", torn, 15, {})
    pair("as much a second, but for 9.9 ms: mostly tables", "trace-density", written.logs(weft, path, 1100, 9000), None, {})
    pair("the same in a second", "trace-density", written.logs(weft, path, 1200, 900_000), None, {})
    pair("three, half of the time", "gc-frequent", written.collections(weft, path, 3, 50 * ms, 50 * ms), 60, {"cycles": 3})
    pair("two, half of the time", "gc-frequent", written.collections(weft, path, 2, 75 * ms, 75 * ms), None, {})
    pair("three, a hundredth of it", "gc-frequent", written.collections(weft, path, 3, ms, 99 * ms), None, {})

d = findings(corpus / "go1.26-procs.trace")
result(any(f["rule"] == "procs-changed" for f in d["findings"]), "GOMAXPROCS changes in go1.26-procs", short(d))
d = findings(corpus / "go1.26-sysio.trace")
result(not any(f["rule"].startswith(("procs", "trace")) for f in d["findings"]), "nothing of that in go1.26-sysio", short(d))
for name, options, form in (("longrun-cut70", [], "reading ended early"), ("httpload-bad3", ["--repair"], "could not be read")):
    pair(form, "trace-health", corpus / f"go1.26-{name}.trace", 10, {}, *options)
    pair("not cut, nor changed", "trace-health", corpus / f"go1.26-{name.split('-')[0]}.trace", None, {}, *options)
p = subprocess.run([weft, "findings", "--fail-on=severity>=50", planted / "convoy.trace.zst"], capture_output=True)
result(p.returncode == 1, "--fail-on makes exit status 1 of a severe finding", str(p.returncode))
p = subprocess.run([weft, "findings", "--fail-on=severity>=50", planted / "leak-ok.trace.zst"], capture_output=True)
result(p.returncode == 0, "and 0 of none", str(p.returncode))
print(f"1..{n}")
sys.exit(failed != 0)
