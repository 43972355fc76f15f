"""What the programs that measure share: a report in Markdown, shown while it grows, and a line about the machine."""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
have_go = shutil.which("go") is not None
report = []  # lines of Markdown


def say(text):
    print(text, flush=True)


def out(line=""):
    report.append(line)
    say(line)


def table(title, head, rows, note=None):
    out(f"## {title}")
    out()
    out("| " + " | ".join(head) + " |")
    out("|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|")
    for row in rows:
        out("| " + " | ".join(str(c) for c in row) + " |")
    out()
    if note:
        out(note)
        out()


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    m = re.search(r"model name\s*:\s*(.*)", text)
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) / 1e6
    load = os.getloadavg()[0]
    go = subprocess.run(["go", "version"], capture_output=True, text=True).stdout.strip() if have_go else "no Go"
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return (f"{time.strftime('%Y-%m-%d')}, commit {commit}. {m.group(1) if m else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB, "
            f"Linux {platform.release()}, {go}; load average at the start {load:.1f}.")


def write(path):
    path.write_text("\n".join(report))
    say(f"written: {path.relative_to(ROOT)}")
