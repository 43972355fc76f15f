"""Questions about ranges, asked of a running `weft view` as the page asks them."""
import http.client
import json
import pathlib
import random
import time
import urllib.parse

from report import table

QUESTIONS = [  # what, and the path without its range
    ("counts, 1000 steps", None),
    ("profile sched", "profile?kind=sched"),
    ("profile sync", "profile?kind=sync"),
    ("profile offcpu", "profile?kind=offcpu"),
    ("profile offwake", "profile?kind=offwake"),
    ("profile cpu", "profile?kind=cpu"),
    ("profile create", "profile?kind=create"),
    ("profile alone", "profile?kind=alone"),
    ("profile sched, fn:main", "profile?kind=sched&filter=fn:main"),
    ("profile offcpu, dur:>5us", "profile?kind=offcpu&filter=dur:%3E5us"),
    ("goroutines by start", "goroutines?by=start"),
    ("tasks", "tasks?"),
    ("regions", "regions?"),
    ("requests", "requests?"),
    ("mmu", "mmu?"),
    ("findings", "findings?"),
]
RANGES, SLOW_RANGES, SLOW_SECONDS = 60, 12, 0.2


def cpu_seconds(pid):
    """Processor time of all threads of a process; while it runs, not what ended threads took."""
    return sum(int((t / "schedstat").read_text().split()[0]) for t in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


class Asking:
    """One connection to a server that has its trace."""

    def __init__(self, url, pid):
        at = urllib.parse.urlparse(url)
        self.pid = pid
        self.connection = http.client.HTTPConnection(at.hostname, at.port)
        while True:
            status, body, _ = self.get("/api/info")
            if status == 200 and "groups" in (info := json.loads(body)):
                self.duration_ns = info["duration_ns"]
                return
            time.sleep(0.05)

    def get(self, path):
        start = time.monotonic()
        self.connection.request("GET", path)
        r = self.connection.getresponse()
        body = r.read()
        return r.status, body, time.monotonic() - start

    def seconds(self, question, a, b):
        if question is None:
            path = f"/api/counts?t={a}&step={max(1, (b - a) // 1000)}&n=1000"
        else:
            path = f"/api/{question}{'' if question.endswith('?') else '&'}range={a}ns..{b}ns"
        before = cpu_seconds(self.pid)
        status, body, s = self.get(path)
        assert status == 200, f"{path}: {status} {body[:200]}"
        return s, cpu_seconds(self.pid) - before


def ask(asking, question):
    """Seconds of wall and of processor of one question about ranges of any length, anywhere; fewer when it is slow."""
    rng, walls, cpus = random.Random(1), [], []
    while len(walls) < (SLOW_RANGES if sum(walls) > SLOW_SECONDS * SLOW_RANGES else RANGES):
        a, b = sorted(rng.randrange(asking.duration_ns + 1) for _ in range(2))
        wall, cpu = asking.seconds(question, a, b + 1)
        walls.append(wall)
        cpus.append(cpu)
    return walls, cpus


def section(found, view, quantile):
    rows = []
    for size, path in found:
        if size != "medium":
            continue
        with view(path) as v:
            asking = Asking(v.url, v.p.pid)
            for name, question in QUESTIONS:
                cells = [" / ".join(f"{quantile(times, q) * 1e3:.1f}" for q in (0.5, 0.99)) for times in ask(asking, question)]
                rows.append([path.stem, name, *cells])
    table("A question about a range, of the server", ["trace", "question", "ms of wall: median / p99", "ms of processor: median / p99"], rows,
          "Ranges between two random times, on one connection from Python, whose share is in the wall time. Questions that read the trace\n"
          "do so on threads of their own, which end with the answer: their processor time is not in it.")
