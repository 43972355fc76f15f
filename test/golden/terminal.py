#!/usr/bin/env python3
"""Colours and progress: on a terminal, and nowhere else.

    terminal.py WEFT CORPUS
"""
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata

weft, corpus = map(os.path.abspath, sys.argv[1:])
trace = pathlib.Path(corpus) / "go1.26-httpload.trace"
n = failed = 0


def result(ok, name, why=b""):
    global n, failed
    n += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {n} {name}")
    if not ok:
        print(f"# {why!r}")


def on_terminal(words, stream, feed=None, **env):
    """Runs weft with stdout or stderr being a terminal; what came out there, and on the other one."""
    ours, theirs = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    p = subprocess.Popen([weft, *words], stdin=subprocess.PIPE if feed else subprocess.DEVNULL, env=dict(environ, **env),
                         stdout=theirs if stream == 1 else subprocess.PIPE, stderr=theirs if stream == 2 else subprocess.PIPE)
    os.close(theirs)
    seen = []

    def read():
        try:
            while data := os.read(ours, 4096):
                seen.append(data)
        except OSError:  # its other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    if feed:
        for chunk, pause in feed:
            p.stdin.write(chunk)
            p.stdin.flush()
            time.sleep(pause)
        p.stdin.close()
    other = (p.stderr if stream == 1 else p.stdout).read()
    p.wait(timeout=30)
    reader.join(10)
    os.close(ours)
    return b"".join(seen), other


ESC = b"\033["
out, _ = on_terminal(["summary", trace], 1, TERM="xterm")
result(ESC in out and b"main.client" in out, "colours on a terminal", out[:300])
out, _ = on_terminal(["summary", trace], 1, TERM="xterm", NO_COLOR="1")
result(ESC not in out and b"main.client" in out, "none with NO_COLOR", out[:300])
out, _ = on_terminal(["summary", trace], 1, TERM="dumb")
result(ESC not in out, "none on a dumb terminal", out[:300])
_, out = on_terminal(["summary", trace], 2, TERM="xterm")
result(ESC not in out and b"main.client" in out, "none into a pipe", out[:300])
out, _ = on_terminal(["events", "--json", trace], 1, TERM="xterm")
result(ESC not in out, "none in JSON", out[:300])

data = trace.read_bytes()
slow = [(data[i : i + 8000], 0.25) for i in range(0, len(data), 8000)]
err, out = on_terminal(["summary", "-"], 2, feed=slow)
result(err.count(b"\r") >= 2 and b"MB/s" in err and err.endswith(b"\r\033[K"), "progress on what takes long, and then it is gone", err)
result(b"main.client" in out and b"MB/s" not in out, "the answer is the same", out[:300])
err, out = on_terminal(["summary", trace], 2)
result(err == b"", "no progress on what is quick", err)
p = subprocess.run(["sh", "-c", f"(head -c 9000 {trace}; sleep 1; tail -c +9001 {trace}) | {weft} summary -"], capture_output=True, timeout=30)
result(p.stderr == b"" and b"main.client" in p.stdout, "no progress into a file", p.stderr)


# In any number of columns no line is longer; into a pipe names are whole.
def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in line)


def asked(words, columns):
    env = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    p = subprocess.run([weft, *map(str, words)], capture_output=True, text=True, timeout=60, cwd=trace.parent, env=dict(env, COLUMNS=str(columns)) if columns else env)
    return p.stdout.split("\n") if p.returncode < 2 else [f"exit status {p.returncode}: {p.stderr}" + 500 * "!"]


other = trace.parent / "go1.21-httpload.trace"
long_names = pathlib.Path(__file__).parent / "traces/long.txt"
with tempfile.TemporaryDirectory() as tmp:
    made = pathlib.Path(tmp) / "long.trace"
    subprocess.run([weft, "assemble", long_names, "-o", made], check=True)
    for words in ["summary", "findings", "goroutines", "goroutines --group-by=creator", "profile sched", "profile alone", "profile offwake", "tasks", "tasks --list",
                  "tasks --logs", "tasks --histogram", "regions", "regions --list", "requests", "why --goroutine=1", "waits", "counters", "mmu", "mmu --per-goroutine",
                  "check", "diff", "help", "help events", "help export"]:
        for file in ([] if words.startswith("help") else [trace, made]) or [None]:
            all_words = words.split() + ([file if file == made else file.name] if file else []) + ([other.name] if words == "diff" else [])
            wide = [(c, x) for c in (80, 60) for x in asked(all_words, c) if width(x) > c and len(x.split()) > 1 and (c == 80 or words.split()[0] in ("goroutines", "tasks", "regions", "counters"))]
            result(not wide, f"weft {words} {file.name if file else ''} in 80 columns", repr(wide[:2]).encode())
    result(any("net/http.(*Transport).startDialConnForLocked.func1" in x for x in asked(["goroutines", trace], 0)), "names are whole in a pipe")
    names = {x.split()[-1] for x in asked(["goroutines", "--filter=fn:Same", made], 80)[1:] if "Same" in x}
    result(len(names) == 3, "names that end alike are told apart", repr(names).encode())
print(f"1..{n}")
sys.exit(failed != 0)
