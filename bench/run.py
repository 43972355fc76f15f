#!/usr/bin/env python3
"""Measures Weft beside Go's own reader and `go tool trace`, on traces made here, and writes bench/README.md.

    run.py [small] [medium] [large] [--runs N] [--only SECTION[,SECTION]] [--no-go-tool]

Sizes: small 15 MB (three kinds of program), medium 90 MB, large 500 MB; all of them unless some are named.
Sections: events summary answers v1 view memory tiles server page.  Each number is taken N times (5; 3 for large files), ours and theirs in
turn, in new processes with the file in the page cache; tables show median and best.
"""
import argparse
import http.client
import json
import os
import pathlib
import platform
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import answers
import server
from report import have_go, machine, out, say, table, write

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
DATA = BUILD / "bench/data"
WEFT = BUILD / "weft"
BINARIES = BUILD / "bench"
TRACES = {  # size: (name, program, MB)
    "small": [("chan-15", "chan", 15), ("gc-15", "gc", 15), ("http-15", "http", 15)],
    "medium": [("chan-90", "chan", 90)],
    "large": [("chan-500", "chan", 500)],
}
SECTIONS = ["events", "summary", "answers", "v1", "view", "memory", "tiles", "server", "page"]
MEMORY_FOR_GO_TOOL = 20 << 30  # `go tool trace` takes 175 bytes per byte of trace


# ---- traces and programs ----

def built(target, inputs, command, **kw):
    if not target.exists() or any(i.stat().st_mtime > target.stat().st_mtime for i in inputs):
        subprocess.run(command, check=True, **kw)
    return target


def go_programs():
    make_src, reader_src = ROOT / "bench/go/make/main.go", ROOT / "bench/go/reader/main.go"
    env = {**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    make = built(DATA / "make", [make_src], ["go", "build", "-o", DATA / "make", make_src], env=env)
    # internal/trace may only be imported from inside Go's tree: an overlay puts our file there, without writing to it.
    root = pathlib.Path(subprocess.run(["go", "env", "GOROOT"], check=True, capture_output=True, text=True).stdout.strip())
    overlay = DATA / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(root / "src/cmd/weftbench/main.go"): str(reader_src)}}))
    env.pop("GO111MODULE")
    reader = built(DATA / "reader", [reader_src], ["go", "build", "-overlay", overlay, "-o", DATA / "reader", "cmd/weftbench"], env=env)
    return make, reader


def traces(sizes, make):
    found = []
    for size in sizes:
        for name, program, mb in TRACES[size]:
            path = DATA / f"{name}.trace"
            if not path.exists():
                if not make:
                    continue
                say(f"making {path.name}")
                part = path.with_suffix(".part")
                subprocess.run([make, "-program", program, "-mb", str(mb), "-o", part], check=True)
                part.rename(path)
            found.append((size, path))
    return found


# ---- measuring ----

def run(command, stdout=subprocess.PIPE):
    """(seconds, peak bytes, output) of one process."""
    with tempfile.TemporaryFile() as err:
        start = time.monotonic()
        p = subprocess.Popen([str(c) for c in command], stdout=stdout, stderr=err)
        text = p.stdout.read().decode() if p.stdout else ""
        _, status, usage = os.wait4(p.pid, 0)
        seconds = time.monotonic() - start
        p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode:
            err.seek(0)
            raise RuntimeError(f"{command}: status {p.returncode}: {err.read().decode()[:500]}")
    return seconds, usage.ru_maxrss << 10, text


def peak_of(pid):
    """The largest resident set of a running process, in bytes."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) << 10


def mb(n):
    return f"{n / 1e6:.0f} MB"


def ms(s):
    return f"{s * 1e3:.0f} ms" if s < 10 else f"{s:.1f} s"


def best(values, rate=False):
    return max(values) if rate else min(values)


def warm(path):
    with open(path, "rb") as f:
        while f.read(1 << 24):
            pass


def count_of(text):
    """(events, seconds) of bench-count's line."""
    m = re.search(r"(\d+) events .* in ([\d.]+) s", text)
    return int(m.group(1)), float(m.group(2))


def section_events(found, args, reader):
    rows = []
    for size, path in found:
        warm(path)
        ours, theirs, events = [], [], 0
        for _ in range(args.runs if size != "large" else min(3, args.runs)):
            n, s = count_of(run([BINARIES / "bench-count", "-j1", path])[2])
            ours.append(n / s / 1e6)
            events = n
            if reader:
                gn, gs = run([reader, path])[2].split()
                assert int(gn) == n, f"{path}: Go reads {gn} events, we read {n}"
                theirs.append(int(gn) / float(gs) / 1e6)
        row = [path.stem, f"{path.stat().st_size / 1e6:.0f}", f"{events / 1e6:.1f} M",
               f"{statistics.median(ours):.1f} / {max(ours):.1f}"]
        if theirs:
            row += [f"{statistics.median(theirs):.1f} / {max(theirs):.1f}", f"{statistics.median(ours) / statistics.median(theirs):.1f}x"]
        rows.append(row)
    table("Ordered events, streaming to a counting sink, one thread", ["trace", "MB", "events", "Weft, M events/s: median / best"]
          + (["Go's reader", "ratio of medians"] if reader else []), rows)


def section_summary(found, args, reader):
    rows = []
    for size, path in found:
        if size == "small":
            continue
        warm(path)
        times, peaks, go = [], [], []
        for _ in range(args.runs if size != "large" else min(3, args.runs)):
            s, peak, _ = run([WEFT, "summary", path])
            times.append(s)
            peaks.append(peak)
            if reader:
                go.append(run([reader, path])[0])
        rows.append([path.stem, f"{ms(statistics.median(times))} / {ms(min(times))}", mb(max(peaks)),
                     f"{ms(statistics.median(go))} / {ms(min(go))}" if go else "-",
                     f"{statistics.median(go) / statistics.median(times):.1f}x" if go else "-"])
    table("`weft summary`", ["trace", "wall: median / best", "peak memory", "Go: reading alone", "ratio"], rows)


def section_v1(args, reader):
    maker = BINARIES / "bench-genv1"
    if not maker.exists():
        return
    path = DATA / "v1-63.trace"
    if not path.exists():
        run([maker, path])
    warm(path)
    times, peaks, go, go_peaks, rates, events = [], [], [], [], [], 0
    for _ in range(min(3, args.runs)):
        s, peak, _ = run([WEFT, "summary", path])
        times.append(s)
        peaks.append(peak)
        events, t = count_of(run([BINARIES / "bench-count", "-j1", path])[2])
        rates.append(events / t / 1e6)
        if reader:
            s, peak, _ = run([reader, path])
            go.append(s)
            go_peaks.append(peak)
    size = path.stat().st_size
    table("A v1 trace (Go 1.21's format)", ["what", "Weft", "Go's reader"], [
        ["file, events", f"{mb(size)}, {events / 1e6:.1f} M", ""],
        ["`weft summary`: median / best", f"{ms(statistics.median(times))} / {ms(min(times))}",
         f"{ms(statistics.median(go))} / {ms(min(go))} (reading alone)" if go else "-"],
        ["peak memory", f"{mb(max(peaks))} = {max(peaks) / size:.1f} x file",
         f"{mb(max(go_peaks))} = {max(go_peaks) / size:.1f} x file" if go else "-"],
        ["events, one thread", f"{statistics.median(rates):.1f} M/s", ""],
    ])


class Browser:
    """tools/page.mjs, waiting for URLs."""

    def __enter__(self):
        self.p = subprocess.Popen(["node", ROOT / "tools/page.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.p.stdout.readline().strip() == "ready", "the browser does not start"
        return self

    def load(self, url):
        self.p.stdin.write(url + "\n")
        self.p.stdin.flush()
        answer = json.loads(self.p.stdout.readline())
        if answer["errors"] or answer["drawn_unix_ms"] is None:
            raise RuntimeError(f"{url}: {answer['errors']}")
        return answer

    def __exit__(self, *_):
        self.p.stdin.close()
        self.p.wait()


class View:
    """A running `weft view`."""

    def __init__(self, path):
        self.started = time.time()
        self.p = subprocess.Popen([WEFT, "view", "--no-browser", "--http=127.0.0.1:0", str(path)], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        for line in self.p.stdout:
            if m := re.search(r"listening on (http://\S+)", line):
                self.url = m.group(1)
                break
        else:
            raise RuntimeError("weft view does not listen")
        threading.Thread(target=self.p.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.send_signal(signal.SIGINT)
        self.p.wait()


def go_tool_trace(path):
    """(seconds until it listens, peak bytes) of `go tool trace`."""
    start = time.monotonic()
    p = subprocess.Popen(["go", "tool", "trace", "-http=127.0.0.1:0", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                         env={**os.environ, "BROWSER": "true"}, start_new_session=True)
    try:
        for line in p.stderr:
            if "listening on" in line:
                seconds = time.monotonic() - start
                kids = subprocess.run(["ps", "-o", "pid=", "--ppid", str(p.pid)], capture_output=True, text=True).stdout.split()
                return seconds, max(peak_of(pid) for pid in [p.pid, *kids])
        raise RuntimeError("go tool trace does not listen")
    finally:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()


def free_memory():
    return int(re.search(r"MemAvailable:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) << 10


def section_view(found, args):
    rows = []
    with Browser() as browser:
        for size, path in found:
            warm(path)
            drawn, peaks = [], []
            for _ in range(args.runs if size != "large" else min(3, args.runs)):
                with View(path) as view:
                    drawn.append(browser.load(view.url)["drawn_unix_ms"] / 1e3 - view.started)
                    peaks.append(peak_of(view.p.pid))
            n = path.stat().st_size
            go = "-"
            if have_go and args.go_tool and size != "large" and (n < 20e6 or free_memory() > MEMORY_FOR_GO_TOOL):
                seconds, peak = go_tool_trace(path)
                go = f"{seconds:.1f} s, {peak / 1e9:.1f} GB"
            rows.append([path.stem, f"{ms(statistics.median(drawn))} / {ms(min(drawn))}", f"{mb(max(peaks))} = {max(peaks) / n:.2f} x file", go])
    table("`weft view`, from its start until the page has drawn the whole trace", ["trace", "Weft: median / best", "peak memory of weft",
          "`go tool trace` until it listens, peak"], rows,
          "Chromium runs before and is not counted. What `go tool trace` then offers is one part of the trace at a time.")


def section_memory(found, args):
    commands = [["check"], ["events"], ["events", "--format=go"], ["dump"], ["summary"], ["goroutines"]]
    rows = []
    for size, path in found:
        if size == "small":
            continue
        for c in commands:
            if size == "large" and c[0] in ("events", "dump"):
                continue
            with open(os.devnull, "wb") as null:
                s, peak, _ = run([WEFT, *c, path], stdout=null)
            rows.append([path.stem, f"`weft {' '.join(c)}`", ms(s), mb(peak)])
    table("Peak memory of commands", ["trace", "command", "wall", "peak memory"], rows,
          "Resident set, with the part of the mapped file that is in it.")


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def http_screens(url, n):
    """Seconds of `n` screens through HTTP: 40 lanes, 1920 px, anywhere, at any zoom; one connection, tile after tile."""
    at = urllib.parse.urlparse(url)
    c = http.client.HTTPConnection(at.hostname, at.port)

    def get(path):
        c.request("GET", path)
        r = c.getresponse()
        body = r.read()
        assert r.status == 200, f"{path}: {r.status} {body[:200]}"
        return body

    while True:
        c.request("GET", "/api/info")
        r = c.getresponse()
        body = r.read()
        if r.status == 200 and "groups" in json.loads(body):
            break
        time.sleep(0.05)
    info = json.loads(body)
    lanes = ["gc", "stw"] + [x["lane"] for x in info["proc_lanes"] + info["thread_lanes"]] + [f"G{g['group']}" for g in info["groups"]]
    for g in info["groups"]:
        if len(lanes) >= 40:
            break
        lanes += [x["lane"] for x in json.loads(get(f"/api/lanes?group={g['group']}&from=0&n=40"))["lanes"]]
    lanes = ",".join(lanes[:40])
    rng, times, fit = random.Random(1), [], 0
    while info["duration_ns"] / (1 << fit) > 1920:
        fit += 1
    for _ in range(n):
        zoom = rng.randint(0, fit)
        tile_ns = 512 << zoom
        last = max(0, int(info["duration_ns"] // tile_ns) - 3)
        first = rng.randint(0, last)
        start = time.monotonic()
        for i in range(first, first + 4):
            get(f"/api/tiles?zoom={zoom}&i={i}&lanes={lanes}")
        times.append(time.monotonic() - start)
    return times


def section_tiles(found, args):
    rows = []
    tiles = BINARIES / "bench-tiles"
    for size, path in found:
        inside = "-"
        if tiles.exists():
            m = re.search(r"screens, mixed\s+p50 ([\d.]+) ms, p99 ([\d.]+) ms, worst ([\d.]+) ms", run([tiles, path])[2])
            inside = " / ".join(m.groups())
        with View(path) as view:
            times = http_screens(view.url, 500)
        rows.append([path.stem, inside, " / ".join(f"{quantile(times, q) * 1e3:.2f}" for q in (0.5, 0.99, 1))])
    table("A screen of tiles: 40 lanes, 1920 px, anywhere, any zoom", ["trace", "in the library, ms of CPU: median / p99 / most", "through HTTP, ms of wall: median / p99 / most"], rows,
          "Through HTTP a screen is four requests one after the other, on one connection from Python; its share is in the number.")


def section_page(args):
    trace = next((ROOT / "test/data/traces").glob("go1.26-hello.*"))
    rows, total, packed = [], 0, 0
    with View(trace) as view:
        at = urllib.parse.urlparse(view.url)
        c = http.client.HTTPConnection(at.hostname, at.port)
        c.request("GET", "/")
        names = re.findall(rb'(?:src|href)="/?([\w./-]+)"', c.getresponse().read())
        for name in ["", *sorted({n.decode() for n in names})]:
            sizes = []
            for encoding in ("identity", "gzip"):
                c.request("GET", "/" + name, headers={"Accept-Encoding": encoding})
                r = c.getresponse()
                sizes.append(len(r.read()))
                assert r.status == 200, name
            rows.append(["/" + name, sizes[0], sizes[1]])
            total, packed = total + sizes[0], packed + sizes[1]
    rows.append(["first load", f"{total} = {total / 1024:.0f} KiB", f"{packed} = {packed / 1024:.0f} KiB"])
    table("Page weight", ["file", "bytes", "as sent (gzip)"], rows)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("sizes", nargs="*", choices=[[], *TRACES], default=[])
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--only", default=",".join(SECTIONS))
    p.add_argument("--no-go-tool", dest="go_tool", action="store_false")
    args = p.parse_args()
    only = args.only.split(",")
    if unknown := set(only) - set(SECTIONS):
        sys.exit(f"run.py: no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    DATA.mkdir(parents=True, exist_ok=True)

    where = machine()
    make, reader = go_programs() if have_go else (None, None)
    found = traces(args.sizes or list(TRACES), make)
    out("# Measurements")
    out()
    out("Written by `./dev bench` (bench/run.py), which also makes the traces (bench/go/make).")
    out()
    out(where)
    out()
    faults = []
    for name, section in [("events", lambda: section_events(found, args, reader)), ("summary", lambda: section_summary(found, args, reader)),
                          ("answers", lambda: answers.section(found, args, WEFT, run, warm, ms, mb)),
                          ("v1", lambda: section_v1(args, reader)), ("view", lambda: section_view(found, args)),
                          ("memory", lambda: section_memory(found, args)), ("tiles", lambda: section_tiles(found, args)),
                          ("server", lambda: server.section(found, View, quantile)),
                          ("page", lambda: section_page(args))]:
        if name not in only:
            continue
        try:
            section()
        except Exception as e:  # one broken section must not cost the others; but it must be seen
            faults.append(f"{name}: {e}")
            say(f"FAILED {name}: {e}")
    if len(only) == len(SECTIONS) and not args.sizes and not faults:
        write(ROOT / "bench/README.md")
    else:
        say("bench/README.md is left as it is: it holds whole runs only")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
