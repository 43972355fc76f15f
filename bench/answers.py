"""The questions with a goal of their own: beside `go tool trace -pprof` where Go has the question."""
import json
import pathlib
import statistics
import subprocess
import tempfile

from report import table

LONG_S = 15  # what takes longer is measured once


def commands(weft, path, length_ns, tmp):
    """Name, goal, command, and what the goal is about: seconds, or a rate over so many things."""
    middle = length_ns // 2
    second = f"{middle}ns..{min(middle + 10**9, length_ns)}ns"
    part = f"{length_ns * 45 // 100}ns..{length_ns * 55 // 100}ns"
    return [
        ("profile sched", "0.5 s at 90 MB", [weft, "profile", "sched", "--top", path]),
        ("findings", "1.5 s at 16 M events", [weft, "findings", path]),
        ("requests", "", [weft, "requests", path]),
        ("diff with itself", "", [weft, "diff", path, path]),
        ("summary of a tenth of the time", "", [weft, "summary", f"--range={part}", path]),
        ("cut of one second", "1 s at 500 MB", [weft, "cut", f"--range={second}", path, tmp / "cut"]),
        ("pack", "100 MB/s, a quarter of the size", [weft, "pack", path, tmp / "packed"]),
        ("sql: count of states", "20 M rows/s", [weft, "sql", path, "SELECT count(*) FROM g_states"]),
        ("sql: sum of states by goroutine", "5 M rows/s",
         [weft, "sql", path, "SELECT g, sum(end_ns - start_ns) FROM g_states GROUP BY g ORDER BY 2 DESC LIMIT 5"]),
    ]


def section(found, args, weft, run, warm, ms, mb):
    for size, path in found:
        if size == "small":
            continue
        warm(path)
        length = json.loads(subprocess.run([weft, "summary", "--json", path], check=True, capture_output=True).stdout)["duration_ns"]
        rows = []
        with tempfile.TemporaryDirectory() as tmp:
            for name, goal, command in commands(weft, path, length, pathlib.Path(tmp)):
                times, peaks = [], []
                for _ in range(min(3, args.runs)):
                    s, peak, _ = run(command)
                    times.append(s)
                    peaks.append(peak)
                    if s > LONG_S:
                        break
                note = ""
                if name == "pack":
                    note = f"{path.stat().st_size / (pathlib.Path(tmp) / 'packed').stat().st_size:.1f}x smaller, {path.stat().st_size / 1e6 / min(times):.0f} MB/s"
                rows.append([name, goal or "-", f"{ms(statistics.median(times))} / {ms(min(times))}", mb(max(peaks)), note])
        table(f"Questions about {path.stem}, whole processes", ["question", "goal", "wall: median / best", "peak memory", ""], rows)
