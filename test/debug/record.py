#!/usr/bin/env python3
"""`weft record`: programs on libweft, tests of Go, and what is neither.

    record.py WEFT EXAMPLES-DIR GO-OR-EMPTY
"""
import os
import pathlib
import subprocess
import sys
import tempfile

from client import done, result

WEFT, EXAMPLES, GO = ([a and os.path.abspath(a) for a in sys.argv[1:]] + [""])[:3]
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)


def record(*words):
    return subprocess.run([WEFT, "record", *words], capture_output=True, text=True, timeout=120)


def check(name, p, status, said, trace=None):
    ok = p.returncode == status and any(said in line for line in p.stderr.splitlines() if line.startswith("weft: "))
    if trace:
        ok = ok and subprocess.run([WEFT, "check", trace], capture_output=True).returncode == 0
        pathlib.Path(trace).unlink(missing_ok=True)
    result(ok, name, p)


check("a program on libweft", record(f"{EXAMPLES}/requests"), 0, "the trace is in trace.out: weft trace.out", "trace.out")
check("only the last of the time", record("-o", "x", "--keep=5s", "--", f"{EXAMPLES}/sieve", "20"), 0, "the trace is in x", "x")
check("another program", record("true"), 1, "it wrote no trace: is it a program on libweft, or a test of Go?")
check("one that fails", record("-o", "x", "--", "sh", "-c", "exit 7"), 7, "it wrote no trace")
check("none at all", record("./no-such-program"), 3, "No such file")
pathlib.Path("old").write_text("kept")
check("none at all, where a file is", record("-o", "old", "./no-such-program"), 3, "No such file")
check("another program, where a file is", record("-o", "old", "true"), 1, "it wrote no trace")
result(pathlib.Path("old").read_text() == "kept", "what was there stays until a trace is written")
check("over a file", record("-o", "old", "--", f"{EXAMPLES}/sieve", "20"), 0, "the trace is in old", "old")
os.mkfifo("pipe")
check("a pipe", record("-o", "pipe", "true"), 2, "pipe is not a file that a trace can be written to")
check("a folder", record("-o", ".", "true"), 2, ". is not a file that a trace can be written to")
check("a comma", record("-o", "a,b", "true"), 2, "comma")
if GO:
    pathlib.Path("p").mkdir()
    pathlib.Path("p/go.mod").write_text("module p\n\ngo 1.22\n")
    pathlib.Path("p/p_test.go").write_text('package p\n\nimport "testing"\n\nfunc TestGood(t *testing.T) {}\n\nfunc TestBad(t *testing.T) { t.Fail() }\n')
    os.chdir("p")
    check("go test", record("--", GO, "test", "-run=Good", "."), 0, "the trace is in trace.out", "trace.out")
    check("go test -o, one that fails", record("-o", "bad.trace", "--", GO, "test", "-run", "Bad"), 1, "the trace is in bad.trace", "bad.trace")
    result(subprocess.run([GO, "test", "-c", "-o", "p.test", "."], capture_output=True).returncode == 0, "go test -c")
    check("a test program", record("-o", "t", "--", "./p.test", "-test.run=Good"), 0, "the trace is in t", "t")
    for name, words in {"-trace twice": ("--", GO, "test", "-trace=y"), "-test.trace twice": ("--", "./p.test", "-test.trace", "y")}.items():
        check(name, record(*words), 2, "is what weft adds by itself")
    check("--keep and go test", record("--keep=5s", "--", GO, "test"), 2, "--keep is for programs on libweft")
    os.chdir("..")
os.chdir("/")
done()
