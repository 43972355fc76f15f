#!/usr/bin/env python3
"""`weft fetch`: from a program on libweft, from one in Go, and from servers that are not what they should be.

    fetch.py WEFT ENDPOINT GO-OR-EMPTY
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from client import Program, ask, done, result, until

WEFT, ENDPOINT, GO = ([a and os.path.abspath(a) for a in sys.argv[1:]] + [""])[:3]
HERE = os.path.dirname(os.path.abspath(__file__))
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)


def fetch(*words, **more):
    return subprocess.run([WEFT, "fetch", *words], capture_output=True, timeout=120, **more)


def sound(path):
    return subprocess.run([WEFT, "check", path], capture_output=True).returncode == 0


def files():
    return sorted(p.name for p in pathlib.Path(".").iterdir())


def clean():
    for p in pathlib.Path(".").iterdir():
        p.unlink()


def good(name, path, *words):
    clean()
    p = fetch(*words)
    last = p.stderr.decode().splitlines()[-1:]
    result(p.returncode == 0 and p.stdout == b"" and last == [f"weft: the trace is in {path}: weft {path}"] and files() == [path] and sound(path),
           name, (p, files()))


def profile(name, path, *words):
    clean()
    p = fetch(*words)
    last = p.stderr.decode().splitlines()[-1:]
    result(p.returncode == 0 and last == [f"weft: the profile is in {path}: go tool pprof {path}"] and files() == [path]
           and pathlib.Path(path).read_bytes()[:2] == b"\x1f\x8b", name, (p, files()))


def bad(name, pattern, *words, status=3):
    """One line that says why, and nothing is left."""
    clean()
    pathlib.Path("old").write_text("old")
    p = fetch(*words, "-o", "old")
    lines = p.stderr.decode().splitlines()
    lines = lines or [""]
    result(p.returncode == status and p.stdout == b"" and re.search(pattern, lines[0]) and len(lines) <= 2 and files() == ["old"]
           and pathlib.Path("old").read_text() == "old", name, p)


def from_libweft():
    p = Program(ENDPOINT, "127.0.0.1:0")
    good("host:port alone", "trace.out", p.at)
    good("a page's address, --seconds and -o", "x.trace", p.base, "--seconds=2", "-o", "x.trace")
    good("a whole URL", "trace.out", p.base + "trace?seconds=0.3")
    out = fetch(p.base + "trace?seconds=0.3", "-o", "-").stdout
    result(out.startswith(b"go 1.26 trace\0\0\0"), "-o - is standard output", out[:20])
    bad("no flight recorder: in the server's words", r": 404 Not Found: no flight recorder runs: start it", p.at + "/debug/flight")
    bad("nothing there", r": 404 Not Found: Unknown profile$", p.base + "nothing")
    bad("not a trace", r": that is not a trace$", p.base + "cmdline")
    profile("a profile", "profile.out", p.base + "goroutine")
    profile("what comes to it in a second", "heap.out", p.at + "/debug/pprof/heap", "--seconds=1", "-o", "heap.out")
    profile("of CPU time", "profile.out", p.base + "profile", "--seconds=1")
    bad("a profile as text", r": that is not a profile$", p.base + "goroutine?debug=1")
    bad("a profile is not viewed", r"--view is for traces", p.base + "heap", "--view", status=2)
    with p.dial() as s:
        s.sendall(f"GET /debug/pprof/trace?seconds=9 HTTP/1.1\r\nHost: {p.at}\r\n\r\n".encode())
        s.recv(1)
        bad("a trace runs already", r": 500 Internal Server Error: Could not enable tracing: tracing is already enabled$", p.at)
    until(lambda: ask(p, "/debug/pprof/trace?seconds=0.1").status == 200)
    clean()
    v = subprocess.Popen([WEFT, "fetch", p.base + "trace?seconds=0.3", "--view", "--no-browser"], stderr=subprocess.PIPE, text=True)
    line = v.stderr.readline()
    v.send_signal(signal.SIGINT)
    result("Trace viewer is listening on http://127.0.0.1:" in line and v.wait(timeout=30) == 0 and files() == ["trace.out"], "--view opens it", line)
    for seconds in ("0", "100000"):
        bad(f"--seconds={seconds} is refused", "--seconds wants", p.at, f"--seconds={seconds}", status=2)
    full = fetch(p.base + "trace?seconds=0.3", "-o", "/dev/full")
    result(full.returncode == 3 and b"No space left" in full.stderr, "a full disk", full)
    where = fetch(p.at, "-o", "no/such/folder/x")
    result(where.returncode == 3 and b"No such file" in where.stderr, "a folder that is not there", where)
    p.end()
    bad("nobody answers", r": nothing answers there$", p.at)
    with tempfile.TemporaryDirectory() as other:
        q = Program(ENDPOINT, "127.0.0.1:0", WEFT_TRACE=f"{other}/t,window=10s")
        good("what the flight recorder holds", "trace.out", q.at + "/debug/flight")
        q.end()


def from_go():
    with tempfile.TemporaryDirectory() as other:
        built = subprocess.run([GO, "build", "-o", f"{other}/pprof", f"{HERE}/pprof.go"], capture_output=True, text=True,
                               env=dict(os.environ, GO111MODULE="off"))
        if not result(built.returncode == 0, "a Go program is built", built.stderr):
            return
        p = Program(f"{other}/pprof")
        good("from net/http/pprof", "trace.out", p.at, "--seconds=1")
        profile("a profile from net/http/pprof", "profile.out", p.base + "allocs", "--seconds=1")
        bad("Go's own words", r": 404 Not Found: Unknown profile$", p.base + "nothing")
        p.end()


def server(*answers):
    """A server that sends each client these bytes, whatever it asks; host:port."""
    l = socket.create_server(("127.0.0.1", 0))

    def serve():
        for data in answers:
            c, _ = l.accept()
            c.recv(65536)
            c.sendall(data)
            c.close()
        l.close()

    threading.Thread(target=serve, daemon=True).start()
    return "127.0.0.1:%d" % l.getsockname()[1]


def from_strange_servers():
    trace = b"go 1.26 trace\0\0\0"
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    cases = {
        "a length that is not kept": (ok + b"Content-Length: 1000\r\n\r\n" + trace, "breaks off after 16 bytes"),
        "chunks without end": (ok + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + trace + b"\r\n", "breaks off|outstanding|closed"),
        "nothing at all": (ok + b"Content-Length: 0\r\n\r\n", "not a trace"),
        "less than a trace": (ok + b"Content-Length: 4\r\n\r\ngo 1", "not a trace"),
        "a profile": (ok + b"Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "not a trace"),
        "far too much": (ok + b"Content-Length: 99999999999999\r\n\r\n" + trace, "more than 16384 MB"),
        "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        "no answer": (b"", "closed without an answer"),
        "an error that is a page": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", "502 Bad Gateway$"),
        "an error with control characters": (b"HTTP/1.1 500 X\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\na\x1b[31mb\nc", r"Internal Server Error: a \[31mb$"),
        "a file of this machine": (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", "speak HTTP"),
    }
    for name, (data, pattern) in cases.items():
        bad(name, pattern, server(data))
    for url in ("ftp://h/x", "file:///etc/passwd", ":6060", "/debug", "http://", "a b"):
        bad(f"{url!r} is refused", "not an address of the web", url, status=2)
    bad("no such host", "no such host", "no-such-host.invalid")


from_libweft()
if GO:
    from_go()
from_strange_servers()
os.chdir("/")
done()
