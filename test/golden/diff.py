#!/usr/bin/env python3
"""`weft diff` on programs whose difference is known.  Prints TAP.

    diff.py WEFT CORPUS [NAME..]

The programs are made up: a worker that is woken again and again, with waits, runs and tasks of chosen lengths.  NAME: only
these tests.
"""
import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

import tap

WEFT, CORPUS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
ROUNDS = 400


def weft(*words, status=0):
    env = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"}
    env.update({k: v for k, v in os.environ.items() if "SAN_OPTIONS" in k})
    p = subprocess.run([WEFT, *map(str, words)], capture_output=True, env=env, timeout=120)
    if p.returncode != status:
        raise AssertionError(f"weft {' '.join(map(str, words))}: status {p.returncode}: {p.stderr.decode()[:300]}{p.stdout.decode()[-300:]}")
    return p.stdout.decode()


STRINGS = ["preempted", "chan receive", "main.worker", "main.main", "main.start", "main.go", "order", "load"]
TEXT = {s: i + 1 for i, s in enumerate(STRINGS)}
STACKS = """EventBatch gen=1 m=-1 time=3
Stacks
Stack id=1
	pc=4096 func=3 file=6 line=1
Stack id=2
	pc=8192 func=5 file=6 line=2
	pc=8200 func=4 file=6 line=3
"""


def made(path, seed=1, wait=lambda r: r.randint(1000, 3000), run=lambda r: r.randint(5000, 9000), rounds=ROUNDS, pc=0, name="main.worker"):
    """A trace of a worker that waits wait(r) ns for a proc in each round and runs run(r) ns, in a task of that length."""
    r = random.Random(seed)
    out = ["Trace Go1.26", "EventBatch gen=1 m=-1 time=1", "Sync", "Frequency freq=1000000000",
           "ClockSnapshot dt=0 mono=1 sec=1 nsec=0"]
    ev = ["EventBatch gen=1 m=1 time=10", "ProcStatus dt=1 p=0 pstatus=1", "GoStatus dt=1 g=1 m=1 gstatus=2",
          "GoCreate dt=5 new_g=2 new_stack=1 stack=2"]
    for i in range(rounds):
        w, x = wait(r), run(r)
        ev += ["GoStop dt=100 reason_string=1 stack=2", f"GoStart dt={w - 100} g=2 g_seq={2 * i + 1}",
               f"UserTaskBegin dt=1 task={i + 1} parent_task=0 name_string={TEXT['order']} stack=1",
               f"UserTaskEnd dt={x} task={i + 1} stack=1",
               "GoBlock dt=1 reason_string=2 stack=1", f"GoStart dt=10 g=1 g_seq={i + 1}",
               f"GoUnblock dt=200 g=2 g_seq={2 * i + 2} stack=2"]
        if i % 100 == 99:
            now = sum(int(e.split("dt=")[1].split()[0]) for e in ev if "dt=" in e)
            out_time = int(ev[0].split("time=")[1]) + now
            out += ev
            ev = [f"EventBatch gen=1 m=1 time={out_time}"]
    out += ev
    out += STACKS.replace("pc=4096", f"pc={4096 + pc}").strip().split("\n")
    out += ["EventBatch gen=1 m=-1 time=4", "Strings"]
    for s, i in TEXT.items():
        out += [f"String id={i}", f'\tdata="{name if s == "main.worker" else s}"']
    out += ["EndOfGeneration"]
    text = pathlib.Path(str(path) + ".txt")
    text.write_text("\n".join(out) + "\n")
    weft("assemble", text, "-o", path)
    text.unlink()
    return path


def rows(*words):
    return json.loads(weft("diff", "--json", *words))["rows"]


def row(all_rows, kind, cls=None, name=""):
    found = [r for r in all_rows if (r["kind"], r["class"], r["name"]) == (kind, cls, name)]
    assert len(found) == 1, (kind, cls, name, found)
    return found[0]


def near(a, b):
    return abs(a - b) <= 1e-6 * max(abs(a), abs(b), 1)


def test_a_trace_does_not_differ_from_itself(tmp):
    for name in ("go1.26-httpload", "go1.21-httpload", "go1.25-annotate", "go1.23-gcheavy", "go1.26-hello"):
        path = CORPUS / f"{name}.trace"
        answer = json.loads(weft("diff", "--json", path, path))
        assert answer["changed"] == 0 and answer["n"] > 5, name
        for r in answer["rows"]:
            assert r["effect"] == 0 and r["n_a"] == r["n_b"], r
            assert all(s["a"] == s["b"] and not s["sure"] for s in r["stats"].values()), r
        assert "no difference that is more than chance" in weft("diff", path, path)


def test_figures_are_those_of_other_commands(tmp):
    """Time per second times the duration is what `weft goroutines` sums up; percentiles are those of `weft tasks`."""
    for name in ("go1.26-httpload", "go1.25-annotate", "go1.24-locks"):
        path = CORPUS / f"{name}.trace"
        answer = json.loads(weft("diff", "--json", path, path))
        seconds = answer["a"]["duration_ns"] / 1e9
        groups = json.loads(weft("goroutines", "--json", "--group-by=start", path))["groups"]
        for cls, key in (("running", "exec_ns"), ("runnable", "sched_ns")):
            time = row(answer["rows"], "state", cls)["stats"]["time"]["a"]
            assert near(time * seconds / 1000, sum(g[key] for g in groups) / 1000), (name, cls)
        assert answer["a"]["goroutines"] <= sum(g["n"] for g in groups)
        for t in json.loads(weft("tasks", "--json", path)).get("types", []):
            if t["n"] == t["complete"]:
                r = row(answer["rows"], "task", None, t["name"])
                assert r["n_a"] == t["n"]
                for k in ("p50", "p90", "p99", "max"):
                    assert r["stats"][k]["a"] == t[k + "_ns"], (name, t["name"], k)


def test_a_planted_change_is_found_and_nothing_else(tmp):
    a = made(tmp / "a.trace", 1)
    b = made(tmp / "b.trace", 2, wait=lambda r: 2 * r.randint(1000, 3000))
    found = rows(a, b)
    r = row(found, "group", "runnable", "main.worker")
    assert r["changed"] and r["stats"]["p50"]["sure"] and r["stats"]["p99"]["sure"] and not r["few"]
    assert 1.9 < r["stats"]["p50"]["b"] / r["stats"]["p50"]["a"] < 2.1
    assert r["stats"]["p50"]["low"] < 1 < r["stats"]["p50"]["high"], r["stats"]["p50"]
    assert 0.6 < r["effect"] < 0.9, r["effect"]
    assert r["created"] == ["main.start", "main.main"]
    same = row(found, "task", None, "order")
    assert not any(same["stats"][k]["sure"] for k in ("mean", "p50", "p90", "p99")), same
    assert abs(same["effect"]) < 0.15
    assert not row(found, "group", "running", "main.worker")["stats"]["p50"]["sure"]


def test_what_only_one_side_has_is_new_or_gone(tmp):
    a = made(tmp / "a.trace", 1)
    b = made(tmp / "b.trace", 1, name="main.other")
    found = rows(a, b)
    gone, new = row(found, "group", "running", "main.worker"), row(found, "group", "running", "main.other")
    assert gone["changed"] and gone["n_b"] == 0 and new["changed"] and new["n_a"] == 0
    text = weft("diff", a, b)
    assert "gone" in text and "new" in text


def test_chance_is_not_told_as_change(tmp):
    """Same program, other dice: with intervals that hold 99 times in 100 a few of a hundred comparisons may be wrong."""
    wrong = looked = 0
    for seed in range(12):
        a, b = made(tmp / "a.trace", 2 * seed), made(tmp / "b.trace", 2 * seed + 1)
        for r in rows(a, b):
            looked += 1
            wrong += r["changed"]
    assert looked > 80 and wrong <= looked * 0.08, (wrong, looked)


def test_two_parts_of_one_trace(tmp):
    step = [0]

    def wait(r):
        step[0] += 1
        return 1500 if step[0] <= ROUNDS / 2 else 6000

    t = made(tmp / "a.trace", 1, wait=wait, run=lambda r: 5000)
    half = ROUNDS / 2 * (1500 + 1 + 5000 + 1 + 10 + 200)
    one = json.loads(weft("diff", "--json", t, f"--a-range=..{int(half)}ns", f"--b-range={int(half)}ns.."))
    other = json.loads(weft("diff", "--json", f"{t}@..{int(half)}ns", f"{t}@{int(half)}ns.."))
    assert one["rows"] == other["rows"]
    r = row(one["rows"], "group", "runnable", "main.worker")
    assert r["stats"]["p50"]["a"] == 1500 and r["stats"]["p50"]["b"] == 6000 and r["stats"]["p50"]["sure"], r
    assert near(r["effect"], 1) or r["effect"] > 0.99


def test_two_folders(tmp):
    for side, factor in (("a", 1), ("b", 3)):
        (tmp / side).mkdir()
        for i in range(6):
            made(tmp / side / f"{i}.trace", i, wait=lambda r, f=factor: f * r.randint(1000, 3000), rounds=60)
        (tmp / side / "notes.txt").write_text("no trace")
        (tmp / side / "broken.trace").write_bytes(b"go 1.99 trace\0\0\0")
    answer = json.loads(weft("diff", "--json", tmp / "a", tmp / "b"))
    assert answer["a"]["traces"] == 6 and answer["a"]["unreadable"] == 1, answer["a"]
    assert row(answer["rows"], "group", "runnable", "main.worker")["stats"]["p50"]["sure"]
    assert not row(answer["rows"], "task", None, "order")["stats"]["p50"]["sure"]
    (tmp / "empty").mkdir()
    weft("diff", tmp / "a", tmp / "empty", status=3)


def test_findings_are_matched(tmp):
    a, b = CORPUS / "go1.26-hello.trace", CORPUS / "go1.26-httpload.trace"
    of = {f["rule"]: f["severity"] for f in json.loads(weft("findings", "--json", b))["findings"]}
    assert of
    found = json.loads(weft("diff", "--json", a, b))["findings"]
    assert {f["rule"]: f["b"] for f in found if f["verdict"] == "new"} == of, (found, of)
    assert {f["verdict"] for f in json.loads(weft("diff", "--json", b, b))["findings"]} == {"same"}
    assert {f["verdict"] for f in json.loads(weft("diff", "--json", b, a))["findings"]} == {"gone"}


def test_limits(tmp):
    a = made(tmp / "a.trace", 1)
    b = made(tmp / "b.trace", 2, wait=lambda r: 2 * r.randint(1000, 3000))
    limit = "fn=main.worker.sched.p99"
    weft("diff", a, b, f"--fail-on={limit}:+50%", status=1)
    weft("diff", a, b, f"--fail-on={limit}:+500ns", status=1)
    weft("diff", a, b, f"--fail-on={limit}:+150%", status=0)
    weft("diff", a, b, f"--fail-on={limit}:+9us", status=0)
    weft("diff", a, b, "--fail-on=task=order.p50:+20%,sched.time:+300%", status=0)
    weft("diff", a, b, "--fail-on=task=order.p50:+20%,sched.mean:+3%", status=1)
    weft("diff", b, a, f"--fail-on={limit}:+0%", status=0)
    assert "nothing to compare" in weft("diff", a, b, "--fail-on=task=none.p50:+1%", status=1)
    verdicts = json.loads(weft("diff", "--json", a, b, f"--fail-on={limit}:+50%,task=order.p50:+20%", status=1))["limits"]
    assert [v["verdict"] for v in verdicts] == ["exceeded", "kept"], verdicts
    for bad in ("sched", "sched.p99", "sched.p98:+10%", "sched.p99:10%", "other.p99:+1%", "fn=main.worker.p99:+1%", "sched.rate:+5ms", "sched.p99:+x%"):
        weft("diff", a, b, f"--fail-on={bad}", status=2)
    weft("diff", a, status=2)
    weft("diff", a, b, "--flame", status=2)
    weft("diff", a, b, "--filter=nonsense:1", status=2)
    weft("diff", a, f"{b}@5s..6s", status=2)


def test_filters(tmp):
    a = made(tmp / "a.trace", 1)
    b = made(tmp / "b.trace", 2, wait=lambda r: 2 * r.randint(1000, 3000))
    found = rows(a, b, "--filter=fn:main.worker state:runnable")
    assert {(r["kind"], r["class"]) for r in found} == {("state", "runnable"), ("group", "runnable")}, found


def test_a_folder_is_ranked_and_asked(tmp):
    for i in range(6):
        made(tmp / f"{i}.trace", i, rounds=60)
    made(tmp / "slow.trace", 7, wait=lambda r: 30 * r.randint(1000, 3000), rounds=60)
    (tmp / "broken.trace").write_bytes(b"go 1.99 trace\0\0\0")
    (tmp / "notes.txt").write_text("no trace")
    answer = json.loads(weft("summary", "--json", tmp, status=3))
    assert answer["unreadable"] == 1 and len(answer["traces"]) == 7
    first, second = answer["traces"][:2]
    assert first["file"].endswith("slow.trace") and first["oddness"] > 10 * second["oddness"], answer
    odd = max(first["traits"], key=lambda t: t["odd"])
    for t in first["traits"]:
        values = sorted(u["value"] for x in answer["traces"] for u in x["traits"] if u["name"] == t["name"])
        assert near(t["median"], values[3]), t
    assert odd["odd"] == first["oddness"]
    files = [tmp / "0.trace", tmp / "broken.trace", tmp / "3.trace"]
    parts, text = [], weft("goroutines", "--json", *files, status=3)
    while text.strip():
        value, end = json.JSONDecoder().raw_decode(text.lstrip())
        parts.append(value)
        text = text.lstrip()[end:]
    assert [p["file"] for p in parts if "file" in p] == [str(f) for f in files]
    one = json.loads(weft("goroutines", "--json", files[2]))
    assert parts[-1] == one and len(parts) == 5
    assert weft("tasks", tmp, status=3).count("==>") == 8
    weft("profile", "sched", files[0], files[2], "-o", tmp / "out")
    assert len(list((tmp / "out").iterdir())) == 2
    weft("profile", "none", files[0], files[2], status=2)


def pprof(*words):
    return subprocess.run(["go", "tool", "pprof", *map(str, words)], capture_output=True, timeout=60)


def test_profiles(tmp):
    a = made(tmp / "a.trace", 1, rounds=200)
    b = made(tmp / "b.trace", 1, rounds=200, pc=65536, wait=lambda r: 2 * r.randint(1000, 3000))
    answer = json.loads(weft("diff", "--json", "--profile=sched", a, b))
    of = {f["name"]: f for f in answer["functions"]}
    for side, path in (("a", a), ("b", b)):
        plain = json.loads(weft("profile", "sched", "--json", path))
        for f in plain["functions"]:
            assert of[f["name"]]["flat_" + side] == f["flat_ns"], f
        assert answer["ns_" + side] == plain["ns"] and answer["count_" + side] == plain["count"]
    folded = weft("diff", "--profile=sched", "--flame", a, b).splitlines()
    total = [0, 0]
    for line in folded:
        stack, x, y = line.rsplit(" ", 2)
        total[0] += int(x)
        total[1] += int(y)
    assert total[1] == answer["ns_b"] and abs(total[0] - answer["ns_a"] * answer["scale"]) <= len(folded)
    same = json.loads(weft("diff", "--json", "--profile=sched", a, a))
    assert all(s["ns_a"] == s["ns_b"] for s in same["stacks"])
    weft("diff", "--profile=sched", a, b, "-o", tmp / "d.pb.gz")
    data = gzip.decompress((tmp / "d.pb.gz").read_bytes())
    assert b"pprof::base" in data
    if not shutil.which("go"):
        return
    p = pprof("-top", "-unit=ns", "-sample_index=delay", tmp / "d.pb.gz")
    assert p.returncode == 0, p.stderr
    got = {}
    for line in p.stdout.decode().splitlines():
        words = line.split()
        if len(words) == 6 and words[0].rstrip("ns").lstrip("-").isdigit():
            got[words[5]] = int(words[0].removesuffix("ns"))
    for name, f in of.items():
        want = f["flat_b"] - f["flat_a"] * answer["scale"]
        assert abs(got.get(name, 0) - want) <= 4 + len(folded), (name, got.get(name), want)


sys.exit(tap.run(globals(), sys.argv[3:]))
