#!/usr/bin/env python3
"""`weft` in the place of `go tool trace`, compared with it where Go (1.25 or newer) is installed.

    gotool.py WEFT CORPUS

-d=parsed on every v2 trace of the corpus, also the damaged ones: the same standard output, the same exit status.  -d=wire and
-d=footprint on every fifth; there Go takes some torn ends for proper ones (exit status 0), and weft does not.  (Traces of Go 1.21 and older: Go's own order changes from run to run; test/truth has them.)
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

weft, corpus = sys.argv[1:]
ENV = dict(os.environ, TZ="UTC", GOTOOLCHAIN="local", GOFLAGS="")


def output(*words):
    return subprocess.run(words, capture_output=True, env=ENV, timeout=300)


def go_tool():
    """Path of the trace tool; None where there is none that knows the newest format."""
    if not shutil.which("go"):
        return None
    version = re.search(rb"go1\.(\d+)", output("go", "version").stdout)
    if not version or int(version.group(1)) < 25:
        return None
    path = output("go", "tool", "-n", "trace").stdout.decode().strip()
    if not os.path.exists(path):  # built on first use
        output("go", "tool", "trace", "-d=parsed", "/dev/null")
        path = output("go", "tool", "-n", "trace").stdout.decode().strip()
    return path if os.path.exists(path) else None


def rows(table):
    """Rows of a footprint that count something, without what depends on the width of columns."""
    return sorted(line.split() for line in table.decode().splitlines()[2:] if line.split()[-2:] != ["0", "0.00%"])


go = go_tool()
if not go:
    print("1..0 # SKIP no Go 1.25 or newer here")
    sys.exit(0)
newest = int(re.search(rb"go1\.(\d+)", output("go", "version").stdout).group(1))
n = failed = 0
for i, path in enumerate(sorted(pathlib.Path(corpus).glob("*.trace"))):
    version = re.match(rb"go 1\.(\d+) trace", path.read_bytes()[:16])
    if version and (int(version.group(1)) < 22 or int(version.group(1)) > newest):
        continue
    modes = ["parsed"] + (["wire", "footprint"] if i % 5 == 0 and "allocs" not in path.name else [])
    for mode in modes:
        want, got = output(go, "-d=" + mode, str(path)), output(weft, "-d=" + mode, str(path))
        same = want.stdout == got.stdout if mode != "footprint" else rows(want.stdout) == rows(got.stdout)
        ok = same and want.returncode == got.returncode and bool(got.stderr) == bool(want.returncode)
        if mode != "parsed" and "-cut" in path.name and want.returncode == 0:
            ok = got.returncode == 1 and got.stderr and (same or mode == "footprint")
        n += 1
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {n} -d={mode} {path.name}")
        if not ok:
            print(f"# Go: exit status {want.returncode}, {len(want.stdout)} bytes; weft: {got.returncode}, {len(got.stdout)} bytes")

# The profiles, as go tool pprof reads them.
def traces(profile):
    pprof = subprocess.run(["go", "tool", "pprof", "-traces", "-"], input=profile, capture_output=True, env=ENV, timeout=300)
    blocks = pprof.stdout.decode().split("-----------+-------------------------------------------------------")
    return sorted(blocks[1:])


for name in ("go1.22-locks", "go1.23-sysio", "go1.26-cgocb", "go1.26-httpload-gens"):
    path = pathlib.Path(corpus) / (name + ".trace")
    for kind in ("net", "sync", "syscall", "sched"):
        want, got = (output(tool, "-pprof=" + kind, str(path)) for tool in (go, weft))
        ok = got.returncode == want.returncode == 0 and traces(got.stdout) == traces(want.stdout)
        n += 1
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {n} -pprof={kind} {name}")
print(f"1..{n}")
sys.exit(failed != 0)
