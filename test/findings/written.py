"""Traces that were written for one rule each, as text: what no program does at will.  A tick is a nanosecond; each is one generation,
of a thread with a proc, on which goroutine 1 (main.main) runs at first.
"""
import pathlib
import subprocess

MS = 1_000_000
BATCH_MAX = 30_000  # bytes of strings or events in a batch, well below what a batch may have


def strings(texts):
    """Their table: number -> text."""
    out, size = [], BATCH_MAX
    for number, text in texts.items():
        if size + len(text) > BATCH_MAX:
            out += ["EventBatch gen=1 m=-1 time=3", "Strings"]
            size = 0
        size += len(text) + 10
        out += [f"String id={number}", f'\tdata="{text}"']
    return out


def timed(events):
    """Batches of (ns since the event before, the rest of its line)."""
    out, now, since = ["EventBatch gen=1 m=7 time=100"], 100, 0
    for dt, line in [(1, "ProcStatus p=0 pstatus=1"), (1, "GoStatus g=1 m=7 gstatus=2")] + events:
        if since == 2000:
            out.append(f"EventBatch gen=1 m=7 time={now}")
            since = 0
        since += 1
        now += dt
        name, _, rest = line.partition(" ")
        out.append(f"{name} dt={dt} {rest}".rstrip())
    return out


def trace(weft, path, events, texts):
    lines = ["Trace Go1.26", "EventBatch gen=1 m=-1 time=1", "Sync", "Frequency freq=1000000000", "ClockSnapshot dt=1 mono=2 sec=1 nsec=0"]
    lines += timed(events)
    lines += ["EventBatch gen=1 m=-1 time=3", "Stacks", "Stack id=1 nframes=1", "\tpc=16 func=1 file=2 line=3"]
    lines += strings({1: "main.main", 2: "/main.go", **texts}) + ["EndOfGeneration"]
    text = pathlib.Path(f"{path}.txt")
    text.write_text("\n".join(lines) + "\n")
    subprocess.run([weft, "assemble", text, "-o", path], check=True, timeout=60)
    assert subprocess.run([weft, "check", path], stdout=subprocess.DEVNULL, timeout=60).returncode == 0, path
    return path


def procs(weft, path, numbers):
    """GOMAXPROCS, told each millisecond."""
    return trace(weft, path, [(MS, f"ProcsChange procs_value={n} stack=1") for n in numbers], {})


def logs(weft, path, n, every_ns):
    """That many messages of a thousand bytes."""
    texts = {100 + i: f"{i:04} ".ljust(1000, "x") for i in range(n)}
    return trace(weft, path, [(every_ns, f"UserLog task=0 key_string=0 value_string={100 + i} stack=1") for i in range(n)], texts)


def collections(weft, path, n, mark_ns, between_ns):
    """That many, a worker on the only proc for each."""
    events = [(1, "ProcsChange procs_value=1 stack=1"), (1, "GoCreate new_g=2 new_stack=1 stack=1")]
    for i in range(n):
        events += [(between_ns, f"GCBegin gc_seq={2 * i + 1} stack=1"), (1, "GoStop reason_string=11 stack=1"), (1, f"GoStart g=2 g_seq={2 * i + 1}"),
                   (1, "GoLabel label_string=10"), (mark_ns, "GoBlock reason_string=12 stack=1"), (1, f"GoStart g=1 g_seq={i + 1}"),
                   (1, f"GCEnd gc_seq={2 * i + 2}"), (1, f"GoUnblock g=2 g_seq={2 * i + 2} stack=1")]
    return trace(weft, path, events, {10: "GC (dedicated)", 11: "preempted", 12: "system goroutine wait"})
