#!/usr/bin/env python3
"""`weft FILE` as editors and people meet it: the line they wait for, the browser, Ctrl-C, damaged files.

    view.py WEFT CORPUS
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

weft, corpus = map(os.path.abspath, sys.argv[1:])
LINE = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (Opening browser\. )?Trace viewer is listening on (http://(127\.0\.0\.1|\[::1\]|localhost):\d+)$")
n = failed = 0


def result(ok, name, why=""):
    global n, failed
    n += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {n} {name}")
    if not ok and why:
        print("# " + str(why).replace("\n", "\n# "))


class Viewer:
    """A running `weft`: up to the line that says where it listens."""

    def __init__(self, *words, stdin=subprocess.DEVNULL, env=None):
        self.p = subprocess.Popen([weft, *words], cwd=corpus, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  env=dict(os.environ, TZ="UTC", **(env or {})))
        self.seen, self.url, self.opening = [], None, False
        for line in self.p.stderr:
            self.seen.append(line.rstrip("\n"))
            if m := LINE.match(self.seen[-1]):
                self.opening, self.url = m.group(1) is not None, m.group(2)
                return

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=20) as r:
            return r.read()

    def info(self):
        """/api/info, once the trace has been read."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                info = json.loads(self.get("/api/info"))
                if "events" in info:
                    return info
            except urllib.error.HTTPError as e:
                if e.code != 503:
                    raise
            time.sleep(0.05)
        return {}

    def stop(self, sig=signal.SIGINT):
        self.p.send_signal(sig)
        try:
            out, err = self.p.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return None, "", "did not end"
        return self.p.returncode, out, "\n".join(self.seen) + "\n" + err


def ends(name, v, sig=signal.SIGINT):
    status, out, err = v.stop(sig)
    result(status == 0 and out == "" and "ERROR" not in err, name, f"status {status}, stdout {out!r}, stderr {err!r}")


def serves(name, *words, **more):
    v = Viewer(*words, **more)
    truth = json.load(open(pathlib.Path(corpus) / "go1.26-httpload.truth.json"))
    try:
        info = v.info() if v.url else {}
        page = v.get("/").decode(errors="replace") if v.url else ""
        result(info.get("events") == truth["events"]["read"] and "<html" in page.lower(), name, v.seen + [str(info)[:300]])
    except OSError as e:
        result(False, name, e)
    ends(name + ": ends on Ctrl-C", v)


serves("weft FILE", "--no-browser", "go1.26-httpload.trace")
serves("weft view FILE", "view", "--no-browser", "go1.26-httpload.trace", "--threads=1")
serves("go tool trace -http=:0 PKG.TEST FILE", "-http=:0", "--no-browser", "httpload.test", "go1.26-httpload.trace")
serves("-http 127.0.0.1:0 FILE", "-http", "127.0.0.1:0", "--no-browser", "go1.26-httpload.trace")
with open(pathlib.Path(corpus) / "go1.26-httpload.trace", "rb") as f:
    serves("weft - < FILE", "--no-browser", "-", stdin=f)

# The browser: $BROWSER gets the address, and one that fails at once is not the last word.
with tempfile.TemporaryDirectory() as tmp:
    log = pathlib.Path(tmp) / "url"
    browser = pathlib.Path(tmp) / "browser"
    browser.write_text(f"#!/bin/sh\nprintf %s \"$1\" > {log}.new && mv {log}.new {log}\n")
    browser.chmod(0o755)
    v = Viewer("go1.26-hello.trace", env={"BROWSER": str(browser)})
    until = time.monotonic() + 10
    while not log.exists() and time.monotonic() < until:
        time.sleep(0.02)
    result(v.opening and log.exists() and log.read_text() == v.url, "$BROWSER opens that address", v.seen)
    ends("SIGTERM ends it too", v, signal.SIGTERM)

    bin = pathlib.Path(tmp) / "bin"
    bin.mkdir()
    (bin / "chrome").write_text("#!/bin/sh\nexit 1\n")
    browser.rename(bin / "chromium")
    (bin / "chrome").chmod(0o755)
    log.unlink()
    v = Viewer("go1.26-hello.trace", env={"BROWSER": "", "DISPLAY": "", "WAYLAND_DISPLAY": "", "PATH": f"{bin}:/usr/bin:/bin"})
    until = time.monotonic() + 10
    while not log.exists() and time.monotonic() < until:
        time.sleep(0.02)
    result(log.exists() and log.read_text() == v.url, "the next browser where one fails", v.seen)
    ends("and Ctrl-C", v)

    # Ctrl-C while a browser is starting up.
    (bin / "slow").write_text("#!/bin/sh\nexec sleep 60\n")
    (bin / "slow").chmod(0o755)
    v = Viewer("go1.26-hello.trace", env={"BROWSER": str(bin / "slow")})
    began = time.monotonic()
    ends("Ctrl-C while the browser starts", v)
    result(time.monotonic() - began < 2.5, "does not wait for it")

# Damaged: it says so and shows what there is.
v = Viewer("--no-browser", "go1.26-httpload-bad3.trace")
info = v.info() if v.url else {}
status, out, err = v.stop()
result(status == 0 and info.get("damage") and "weft: go1.26-httpload-bad3.trace: no thread can go on" in err, "a damaged trace is shown, and why not all of it", err)

# Nothing happened, but nothing is wrong with it.
v = Viewer("--no-browser", "go1.26-header-only.trace")
info = v.info() if v.url else {}
status, out, err = v.stop()
result(status == 0 and info.get("events") == 1, "a trace of nothing", err)

# What cannot be shown.
for words, status, text in (
    (["bad-text.trace"], 3, "not a Go execution trace"),
    (["go1.26-httpload-cut60.trace"], 3, "nothing before it can be shown"),
    (["nosuch.trace"], 3, "No such file"),
    (["--http=nonsense", "go1.26-hello.trace"], 2, "--http=nonsense"),
):
    try:
        p = subprocess.run([weft, "--no-browser", *words], cwd=corpus, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
        result(p.returncode == status and text in p.stderr and p.stdout == "", f"weft {' '.join(words)}: exit status {status}", f"{p.returncode}: {p.stderr}")
    except subprocess.TimeoutExpired:
        result(False, f"weft {' '.join(words)}: exit status {status}", "did not end")

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    s.listen()
    port = s.getsockname()[1]
    p = subprocess.run([weft, "--no-browser", f"--http=127.0.0.1:{port}", "go1.26-hello.trace"], cwd=corpus, capture_output=True, text=True, timeout=20)
    result(p.returncode == 2 and str(port) in p.stderr, "a port that is taken", f"{p.returncode}: {p.stderr}")

print(f"1..{n}")
sys.exit(failed != 0)
