#!/usr/bin/env python3
"""The debug endpoint of a program on libweft: what it answers, to whom, and what it does with clients that are not nice.

    endpoint.py ENDPOINT WEFT GO-OR-EMPTY

ENDPOINT is examples/endpoint; WEFT may be empty where there is only the runtime.  TAP.
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

from client import Program, ask, done, read_all, result, send, until, Answer

ENDPOINT, WEFT, GO = ([a and os.path.abspath(a) for a in sys.argv[1:]] + ["", ""])[:3]
TEXT = "text/plain; charset=utf-8"


def sound(data, name):
    """Whether these bytes are a trace for `weft check` and Go's own reader; why not."""
    if not data.startswith(b"go 1.26 trace"):
        return f"begins with {data[:16]!r}"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        path.write_bytes(data)
        for words in ([WEFT, "check"], [GO, "tool", "trace", "-d=parsed"]):
            if words[0]:
                p = subprocess.run([*words, path], capture_output=True, text=True, timeout=120)
                if p.returncode != 0:
                    return f"{words}: {p.stdout[-500:]} {p.stderr}"
    return ""


def answers(p):
    a = ask(p, "/debug/pprof/")
    result(a.status == 200 and a.headers["content-type"] == "text/html; charset=utf-8" and "goroutine" in a.text, "the page", a)
    wanted = {"x-content-type-options": "nosniff", "cache-control": "no-store", "connection": "close",
              "cross-origin-resource-policy": "same-origin"}
    result(all(a.headers.get(k) == v for k, v in wanted.items()), "its headers", a)
    for path in ("/", "/debug/pprof"):
        a = ask(p, path)
        result(a.status == 302 and a.headers.get("location") == "/debug/pprof/", f"{path} leads to the page", a)
    a = ask(p, "/debug/pprof/cmdline")
    result(a.body == f"{ENDPOINT}\x00127.0.0.1:0".encode() and a.headers["content-type"] == TEXT, "cmdline: words with 0 between", a)
    a = ask(p, "/debug/pprof/goroutine?debug=2")
    result(a.status == 200 and "serve_client()" in a.text and re.search(r"\[IO wait[^]]*\]: debug endpoint", a.text) and a.headers["content-type"] == TEXT
           and "content-disposition" not in a.headers, "goroutine?debug=2: every goroutine with its stack", a)
    for path, text in {"/debug/pprof/nothing": "Unknown profile\n", "/nothing": "404 page not found\n", "/debug": "404 page not found\n"}.items():
        a = ask(p, path)
        result(a.status == 404 and a.text == text and a.headers.get("x-go-pprof") == "1", f"404 {path}", a)
    a = ask(p, "/debug/flight")
    result(a.status == 404 and "WEFT_TRACE=FILE,window=10s" in a.text, "flight: says how to start a flight recorder", a)


def top(url):
    """What `go tool pprof -top URL` says; why not."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([GO, "tool", "pprof", "-top", url], capture_output=True, text=True, timeout=120, env=dict(os.environ, PPROF_TMPDIR=folder))
    return done.stdout if done.returncode == 0 else "FAILED " + done.stderr


def in_stacks(data, func):
    """The sum over the samples of a profile with this function in their stack."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        said = subprocess.run([GO, "tool", "pprof", "-top", "-cum", "-nodecount=1000", "-nodefraction=0", f.name], capture_output=True, text=True, timeout=120).stdout
    found = re.search(rf"^ *\S+ +\S+ +\S+ +(-?\d+) +\S+ +{func}$", said, re.M)
    return int(found.group(1)) if found else 0


def differences(p):
    for query, says in {"seconds=0": 'invalid value for "seconds" - must be a positive integer', "seconds=0.5": 'invalid value for "seconds" - must be a positive integer',
                        "seconds=x&debug=1": 'invalid value for "seconds" - must be a positive integer', "debug=1&seconds=1": "seconds and debug params are incompatible",
                        "seconds=601": "profile duration exceeds server's WriteTimeout"}.items():
        a = ask(p, f"/debug/pprof/heap?{query}")
        result(a.status == 400 and a.text == says + "\n" and a.headers.get("x-go-pprof") == "1", f"heap?{query}: {says}", a)
    a = ask(p, "/debug/pprof/block?seconds=600", "HEAD")
    result(a.status == 200 and a.headers["content-disposition"] == 'attachment; filename="block-delta"', "HEAD of a difference does not wait", a)
    waits = lambda: ask(p, "/debug/pprof/goroutine?debug=2").text.count("weft__profile_delta()")
    asked, more = {}, []
    for name in ("goroutine", "heap", "allocs", "block", "mutex", "threadcreate"):
        seconds = 2 if name == "goroutine" else 1
        asked[name] = s = p.dial()
        s.sendall(f"GET /debug/pprof/{name}?seconds={seconds} HTTP/1.1\r\nHost: {p.at}\r\n\r\n".encode())
        if name == "goroutine":
            until(lambda: waits() == 1)
            more = [p.dial() for _ in range(5)]
    got = {name: Answer(read_all(s)) for name, s in asked.items()}
    for name, a in got.items():
        result(a.status == 200 and a.body.startswith(b"\x1f\x8b") and a.headers["content-disposition"] == f'attachment; filename="{name}-delta"', f"{name}?seconds=", a)
    if GO:
        result(in_stacks(got["goroutine"].body, "weft__con_read") == len(more), "what came meanwhile is the difference")
    for s in more:
        s.close()
    with p.dial() as s:
        s.sendall(f"GET /debug/pprof/heap?seconds=600 HTTP/1.1\r\nHost: {p.at}\r\n\r\n".encode())
        until(lambda: waits() == 1)
    result(until(lambda: waits() == 0, 10), "a client that goes away ends its difference")
    if GO:
        done = subprocess.run([GO, "tool", "pprof", "-seconds", "1", "-raw", p.base + "goroutine"], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, PPROF_TMPDIR=tempfile.gettempdir()))
        result(done.returncode == 0 and re.search(r"^Duration: 1\.", done.stdout, re.M), "go tool pprof -seconds 1 .../goroutine", done)


def profiles(p):
    page = ask(p, "/debug/pprof/").text
    names = re.findall(r"<td>\d+<td><a href='(\w+)\?debug=1'>", page)
    result({"goroutine", "threadcreate"} <= set(names), "the page lists the profiles, with counts", page)
    for name in names:
        a = ask(p, f"/debug/pprof/{name}?debug=1")
        result(a.status == 200 and a.headers["content-type"] == TEXT and "content-disposition" not in a.headers
               and re.match(rf"{name.replace('allocs', 'heap')} profile: |--- (contention|mutex):", a.text), f"{name}?debug=1", a)
        a = ask(p, f"/debug/pprof/{name}")
        result(a.status == 200 and a.headers["content-type"] == "application/octet-stream" and a.body.startswith(b"\x1f\x8b")
               and a.headers["content-disposition"] == f'attachment; filename="{name}"', name, a)
        if GO:
            said = top(p.base + name)
            result("Showing nodes" in said, f"go tool pprof -top .../{name}", said)
    differences(p)
    a = ask(p, "/debug/pprof/profile?seconds=0.3")
    result(a.status == 200 and a.body.startswith(b"\x1f\x8b") and a.headers["content-disposition"] == 'attachment; filename="profile"', "profile", a)
    if GO:
        said = top(p.base + "profile?seconds=1")
        result(re.search(r"^ .* work$", said, re.M), "go tool pprof -top .../profile?seconds=1", said)
    with p.dial() as s:
        s.sendall(f"GET /debug/pprof/profile?seconds=60 HTTP/1.1\r\nHost: {p.at}\r\n\r\n".encode())
        until(lambda: "weft__debug_profile()" in ask(p, "/debug/pprof/goroutine?debug=2").text)
        a = ask(p, "/debug/pprof/profile?seconds=0.1")
        result(a.status == 500 and a.text == "Could not enable CPU profiling: cpu profiling already in use\n", "a second profile at the same time", a)
    result(until(lambda: ask(p, "/debug/pprof/profile?seconds=0.1").status == 200, 10), "a client that goes away ends its profile")
    a = ask(p, "/debug/pprof/profile?seconds=1000")
    result(a.status == 400, "too long a profile", a)


def symbols(p):
    maps = pathlib.Path(f"/proc/{p.p.pid}/maps").read_text()
    start = next(int(l.split("-")[0], 16) for l in maps.splitlines() if ENDPOINT.split("/")[-1] in l)
    names = subprocess.run(["nm", ENDPOINT], capture_output=True, text=True).stdout.splitlines()
    pc = start + next(int(l.split()[0], 16) for l in names if l.endswith(" T main"))
    want = f"num_symbols: 1\n{hex(pc)} main\n"
    a = ask(p, f"/debug/pprof/symbol?{hex(pc)}+0x0")
    result(a.text == want, "symbol: by query", a)
    body = f"{hex(pc)}+nonsense+0x0"
    a = send(p, f"POST /debug/pprof/symbol HTTP/1.1\r\nHost: {p.at}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    result(a.text == want, "symbol: by POST", a)


def traces(p):
    a = ask(p, "/debug/pprof/trace?seconds=0.4")
    result(a.status == 200 and a.headers["content-type"] == "application/octet-stream"
           and a.headers["content-disposition"] == 'attachment; filename="trace"' and a.whole, "trace: headers", a)
    why = sound(a.body, "trace")
    result(not why, "trace: sound", why)
    a = ask(p, "/debug/pprof/trace?seconds=0.2", version="1.0")
    result("transfer-encoding" not in a.headers and not sound(a.body, "trace10"), "trace: to HTTP/1.0 it ends with the connection", a)
    with p.dial() as s:
        s.sendall(f"GET /debug/pprof/trace?seconds=5 HTTP/1.1\r\nHost: {p.at}\r\n\r\n".encode())
        s.recv(1)
        a = ask(p, "/debug/pprof/trace?seconds=1")
        result(a.status == 500 and a.text == "Could not enable tracing: tracing is already enabled\n", "a second trace at the same time", a)
    # That client has gone: its trace ends, long before its 5 seconds.
    a = until(lambda: (a := ask(p, "/debug/pprof/trace?seconds=0.1")).status == 200 and a, 4)
    result(a, "a client that goes away ends its trace", a)
    a = ask(p, "/debug/pprof/trace?seconds=601")
    result(a.status == 400 and a.text == "profile duration exceeds server's WriteTimeout\n", "too long a trace", a)


def strangers(p):
    for host in ("evil.example", f"evil.example:{p.port}", f"127.0.0.1.evil.example:{p.port}", f"{p.at},evil", "", "192.168.1.1", "127.1"):
        a = ask(p, "/debug/pprof/cmdline", host=host)
        result(a.status == 403 and "not the address of this server" in a.text, f"Host: {host!r} is refused", a)
    a = send(p, b"GET /debug/pprof/cmdline HTTP/1.0\r\n\r\n")
    result(a.status == 403, "no Host is refused", a)
    a = ask(p, "/debug/pprof/cmdline", more=f"Host: {p.at}\r\n")
    result(a.status == 403, "two Hosts are refused", a)
    for host in (f"localhost:{p.port}", "localhost:1", "[::1]:80"):
        a = ask(p, "/debug/pprof/cmdline", host=host)
        result(a.status == 200, f"Host: {host} is this machine, perhaps through a tunnel", a)
    for more in ("Origin: http://evil.example", "Origin: null", "Origin: http://localhost:8080", "Sec-Fetch-Site: cross-site",
                 "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors"):
        a = ask(p, "/debug/pprof/trace?seconds=600", more=more + "\r\n")
        result(a.status == 403 and "only the page" in a.text, f"{more!r} is refused", a)
    page = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"
    result(ask(p, "/debug/pprof/", more=page).status == 200, "a link from elsewhere to the page")
    result(ask(p, "/debug/pprof/cmdline", more=page).status == 403, "but to nothing else")


def methods(p):
    for path in ("/debug/pprof/", "/debug/pprof/trace?seconds=600", "/debug/pprof/profile", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2"):
        a = ask(p, path, "HEAD")
        result(a.status == 200 and a.body == b"" and "content-type" in a.headers, f"HEAD {path}", a)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get"):
        a = ask(p, "/debug/pprof/cmdline", method)
        result(a.status == 405 and a.headers.get("allow") == "GET, HEAD", f"{method} is refused", a)


def junk(p):
    cases = {
        "a head of 20,000 bytes": (b"GET / HTTP/1.1\r\nX: " + b"x" * 20000, 431),
        "headers without end": (b"GET / HTTP/1.1\r\n" + b"X-Header: y\r\n" * 3000, 431),
        "a target of 20,000 bytes": (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n", 431),
        "a body where none is": (f"GET / HTTP/1.1\r\nHost: {p.at}\r\nContent-Length: 3\r\n\r\nabc".encode(), 302),
        "a body for the page": (f"GET /debug/pprof/ HTTP/1.1\r\nHost: {p.at}\r\nContent-Length: 3\r\n\r\nabc".encode(), 400),
        "a body of 70,000 bytes": (f"POST /debug/pprof/symbol HTTP/1.1\r\nHost: {p.at}\r\nContent-Length: 70000\r\n\r\n".encode() + b"x" * 70000, 413),
        "a body of 10^18 bytes": (f"POST /debug/pprof/symbol HTTP/1.1\r\nHost: {p.at}\r\nContent-Length: 999999999999999999\r\n\r\n".encode(), 413),
        "a transfer coding": (f"POST /debug/pprof/symbol HTTP/1.1\r\nHost: {p.at}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(), 501),
        "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", 400),
        "zeroes": (b"\0" * 5000 + b"\n\n", 400),
        "a continued line": (f"GET / HTTP/1.1\r\nHost: {p.at}\r\n more\r\n\r\n".encode(), 400),
        "half a request": (b"GET / HT", 0),
        "nothing": (b"", 0),
    }
    for name, (data, status) in cases.items():
        with p.dial() as s:
            try:
                s.sendall(data)
                if status == 0:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            got = read_all(s)
        a = Answer(got)
        result(a.status == status and not got.endswith((b"RESET", b"TIMEOUT")), f"{name}: {status}", got[:300])
    two = f"GET /debug/pprof/cmdline HTTP/1.1\r\nHost: {p.at}\r\n\r\n".encode() * 2
    a = send(p, two)
    result(a.status == 200 and a.body.count(b"HTTP/1.1") == 0, "of two requests at once the first is answered, and the connection ends", a)
    with p.dial() as s:
        for c in two[: len(two) // 2]:
            s.sendall(bytes([c]))
        a = Answer(read_all(s))
    result(a.status == 200, "a request that comes byte by byte", a)


def slow(p):
    """Clients that take their time: their places are taken from them."""
    idle = [p.dial(60) for _ in range(31)]
    idle[0].sendall(b"GET / HTTP/1.1\r\nX: ")
    idle[1].sendall(f"POST /debug/pprof/symbol HTTP/1.1\r\nHost: {p.at}\r\nContent-Length: 9\r\n\r\n0x".encode())
    result(ask(p, "/debug/pprof/cmdline").status == 200, "31 that say nothing leave room for one")
    more = [p.dial(60) for _ in range(4)]
    a = until(lambda: (a := ask(p, "/debug/pprof/cmdline")).status == 503 and a, 4)
    result(a and a.headers.get("retry-after") == "1" and "too many requests" in a.text, "beyond 32 clients are turned away", a)
    result(Answer(read_all(idle[0])).status == 408, "half a head is waited for, and then refused")
    result(Answer(read_all(idle[1])).status == 408, "half a body, too")
    result(all(read_all(s) == b"" for s in idle[2:]), "who says nothing is closed without a word")
    for s in idle + more:
        s.close()
    result(until(lambda: ask(p, "/debug/pprof/cmdline").status == 200), "and then there is room again")


def deaf(p):
    """A client that asks for a trace and does not read: the program goes on."""
    with p.dial() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(f"GET /debug/pprof/trace?seconds=1 HTTP/1.1\r\nHost: {p.at}\r\n\r\n".encode())
        time.sleep(1.5)
        result(ask(p, "/debug/pprof/cmdline").status == 200, "a client that does not read its trace disturbs nobody")


def ends(p):
    with p.dial() as s, p.dial() as idle:
        s.sendall(f"GET /debug/pprof/trace?seconds=60 HTTP/1.1\r\nHost: {p.at}\r\n\r\n".encode())
        s.recv(1)
        status, err = p.end()
        rest = read_all(s)
        result(status == 0 and not err, "weft_debug_stop() ends with a trace under way", (status, err))
        result(b"\r\n0\r\n\r\n" not in rest[-10:], "whose client can see that it is cut", rest[-20:])
        result(read_all(idle) in (b"", b"RESET"), "and an idle connection is closed")


def from_the_environment():
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace")
        p = Program(ENDPOINT, "127.0.0.1:0", WEFT_TRACE=f"{trace},window=10s")
        a = ask(p, "/debug/flight")
        result(a.status == 200 and a.headers["content-disposition"] == 'attachment; filename="flight"'
               and int(a.headers["content-length"]) == len(a.body), "flight: what the flight recorder holds", a)
        why = sound(a.body, "flight")
        result(not why, "flight: sound", why)
        a = ask(p, "/debug/pprof/trace?seconds=1")
        result(a.status == 500 and "already enabled" in a.text, "a trace while the flight recorder runs", a)
        p.end()
    hello = os.path.join(os.path.dirname(ENDPOINT), "requests")
    run = lambda value: subprocess.run([hello], capture_output=True, text=True, timeout=60, env=dict(os.environ, WEFT_DEBUG_ADDR=value))
    for value in ("127.0.0.1:0", "0", ":0", "localhost:0"):
        done = run(value)
        result(done.returncode == 0 and done.stderr.startswith("weft: debug endpoint at http://127.0.0.1:") and done.stdout,
               f"WEFT_DEBUG_ADDR={value}: a program that knows nothing of it", done)
    for value in ("127.0.0.1:99999", "nonsense:x:y", "256.0.0.1:0"):
        done = run(value)
        result(done.returncode == 2 and done.stderr.startswith(f"fatal error: WEFT_DEBUG_ADDR: {value}: "), f"WEFT_DEBUG_ADDR={value} is refused", done)


p = Program(ENDPOINT, "127.0.0.1:0")
for part in (answers, profiles, symbols, traces, strangers, methods, junk, slow, deaf, ends):
    part(p)
from_the_environment()
done()
