"""Programs that stand still in a known way (stuck.c): `weft waits` must say the same, and Go's reader must take the trace.
So must traces that are made of it.

usage: run.py WEFT STUCK KEPT SECOND GO-OR-EMPTY

TAP.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

WEFT, STUCK, KEPT, SECOND = sys.argv[1:5]
GO = sys.argv[5] if len(sys.argv) > 5 else ""


def run(args, **kwargs):
    return subprocess.run(args, capture_output=True, text=True, timeout=120, **kwargs)


def sound(trace, second=True, go=True):
    check = run([WEFT, "check", trace])
    assert check.returncode == 0 and "carrier" not in check.stdout, check.stdout
    if second:
        other = run([SECOND, trace])
        assert other.returncode == 0, other.stdout + other.stderr
    if GO and go:
        go = run([GO, "tool", "trace", "-d=parsed", trace])
        assert go.returncode == 0, go.stderr


def waits_of(trace):
    waits = run([WEFT, "waits", "--json", trace])
    assert waits.returncode == 0, waits.stderr
    return json.loads(waits.stdout)


def ask(trace, sql):
    done = run([WEFT, "sql", "--json", trace, sql])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["rows"]


def taken(trace):
    """Goroutines whose proc was taken, each time."""
    events = [json.loads(line) for line in run([WEFT, "events", "--json", trace]).stdout.splitlines()]
    return [e["id"] for e in events if e.get("proc_taken")]


def start_of(trace):
    return int(re.search(r"Time=(-?\d+)", run([WEFT, "events", "--format=go", trace]).stdout)[1])


def kept(trace):
    return run([KEPT, trace]).stdout


class Told:
    """What the program said about itself, and what weft says about its trace."""

    def __init__(self, kind, folder, procs):
        self.trace = os.path.join(folder, f"{kind}-{procs}.trace")
        done = run([STUCK, kind, self.trace], env=dict(os.environ, WEFT_PROCS=procs))
        assert done.returncode == 0 and not done.stderr, f"status {done.returncode}: {done.stderr}"
        self.says = dict(line.split("=") for line in done.stdout.split())
        sound(self.trace, second=False)
        self.waits = waits_of(self.trace)
        self.rows = {row["g"]: row for row in self.waits["waiting"]}
        self.text = run([WEFT, "waits", self.trace]).stdout

    def g(self, name):
        return int(self.says[name])

    def row(self, name):
        assert self.g(name) in self.rows, f"{name} does not wait"
        return self.rows[self.g(name)]

    def one(self, name):
        objects = self.row(name)["objects"]
        assert len(objects) == 1, objects
        return objects[0]

    def object(self, name):
        found = [o for o in self.waits["objects"] if o["id"] == self.says[name + "@"]]
        assert len(found) == 1, f"{name} is {len(found)} times among the objects"
        return found[0]


def equal(got, want):
    assert got == want, f"{got!r}, not {want!r}"


def goroutines_say(t, *names):
    """`weft goroutines` says what these wait for at the end as `weft waits` does: all of them, and one that is asked for."""
    for name in names:
        want = t.row(name)["objects"]
        for words in ([], [f"--filter=g:{t.g(name)}"]):
            rows = json.loads(run([WEFT, "goroutines", "--json", *words, t.trace]).stdout)["goroutines"]
            equal([g["objects"] for g in rows if g["id"] == t.g(name)], [want])
    text = run([WEFT, "goroutines", t.trace]).stdout
    assert "waits for" in text.splitlines()[0], text
    return text


def cycle(t):
    a, b = t.row("a"), t.row("b")
    equal(t.waits["cycles"], 1)
    equal((a["cycle"], b["cycle"]), (1, 1))
    equal((a["holder"], b["holder"]), (t.g("b"), t.g("a")))
    equal((t.one("a")["id"], t.one("b")["id"]), (t.says["mutex1@"], t.says["mutex0@"]))
    equal(t.one("a")["kind"], "mutex")
    equal((t.one("a").get("name"), t.one("b").get("name"), t.object("mutex0")["name"]), (None, "left", "left"))
    assert f"mutex 'left', held by G{t.g('a')}" in t.text, t.text
    assert f"mutex 'left', held by G{t.g('a')}" in goroutines_say(t, "a", "b")
    equal([h["g"] for h in t.object("mutex0")["holders"]], [t.g("a")])
    locked = "SELECT s.g, o.kind, o.name, s.holder FROM g_states s JOIN objects o ON o.rowid = s.object WHERE o.kind = 'mutex'"
    equal(sorted(ask(t.trace, locked)), sorted([[t.g("a"), "mutex", None, t.g("b")], [t.g("b"), "mutex", "left", t.g("a")]]))
    equal(ask(t.trace, "SELECT waits, holders, holder FROM objects WHERE name = 'left'"), [[1, 1, t.g("a")]])
    assert "cycle 1" in t.text and f"held by G{t.g('a')}" in t.text, t.text


def late_cycle(t):
    """Both waited before the trace began: what for is there all the same, as is who holds what was locked in none."""
    equal((t.one("a")["id"], t.one("b")["id"]), (t.says["mutex1@"], t.says["mutex0@"]))
    equal((t.row("a")["open_start"], t.row("a")["holder"]), (True, None))
    goroutines_say(t, "a", "b")


def select(t):
    objects = sorted(t.row("chooser")["objects"], key=lambda o: o["capacity"])
    equal([o["id"] for o in objects], [t.says[f"chan{i}@"] for i in range(3)])
    equal([o["capacity"] for o in objects], [0, 1, 2])
    equal([o["waits_to"] for o in objects], ["receive", "send", "receive"])
    equal(t.row("chooser")["reason"], "select")
    goroutines_say(t, "chooser")


def channels(t):
    full, empty = t.one("sender"), t.one("receiver")
    equal((full["id"], full["capacity"], full["waits_to"]), (t.says["full@"], 4, "send"))
    equal((empty["id"], empty["capacity"], empty["waits_to"]), (t.says["empty@"], 0, "receive"))
    equal((t.object("full")["n"], t.object("full")["n_full"]), (1, 1))
    equal((t.object("empty")["n"], t.object("empty")["n_full"]), (1, 0))
    equal((full["name"], t.object("full")["name"]), ("queue of four", "queue of four"))
    assert "channel 'queue of four' (cap 4, full)" in t.text, t.text
    assert "(cap 4, full)" in t.text and "(unbuffered, nobody sends)" in t.text, t.text


def written(t):
    equal((t.one("reader")["kind"], t.one("reader")["id"]), ("rwmutex", t.says["rwmutex@"]))
    equal((t.row("reader")["holder"], t.row("reader")["cycle"]), (t.g("writer"), 0))
    equal(t.row("reader")["holder_state"], "Waiting")


def read(t):
    equal((t.one("writer")["kind"], t.row("writer")["holder"]), ("rwmutex", t.g("reader")))


def runs_without_proc(trace, g):
    """In all answers; how long it ran in all."""
    assert set(taken(trace)) == {g}, taken(trace)
    rows = json.loads(run([WEFT, "goroutines", "--json", trace]).stdout)["goroutines"]
    row = [row for row in rows if row["id"] == g][0]
    equal((row["syscall_ns"], row["syscall_block_ns"], row["state"]), (0, 0, "Running"))
    stretches = "SELECT g, m, class, p FROM {} WHERE reason = 'proc taken' ORDER BY start_ns"
    on_goroutine, on_thread = (ask(trace, stretches.format(table)) for table in ("g_states", "m_states"))
    assert on_goroutine and {(g, cls, p) for g, _, cls, p in on_goroutine} == {(g, "running", None)}, on_goroutine
    equal(on_thread, on_goroutine)
    profile = run([WEFT, "profile", "syscall", "--flame", trace]).stdout
    assert "compute" not in profile, profile
    return row["exec_ns"]


def hog(t):
    assert runs_without_proc(t.trace, t.g("hog")) > 50_000_000
    parts_computing(t)


def late_hog(t):
    """The trace begins when the proc has been taken long ago: it computes from the first moment to the last."""
    runs_without_proc(t.trace, t.g("hog"))
    parts_computing(t)


def flight_hog(t):
    """So do generations."""
    runs_without_proc(t.trace, t.g("hog"))
    assert len(taken(t.trace)) >= 3, taken(t.trace)


def parts_computing(t):
    """Parts that begin just before that is told, and long after its proc was taken; what is made of those."""
    part, other = t.trace + ".part", t.trace + ".other"
    start = start_of(t.trace)
    events = [json.loads(line) for line in run([WEFT, "events", "--json", t.trace]).stdout.splitlines()]
    first = next(e["time_ns"] for e in events if e.get("proc_taken"))
    cuts = [["cut", f"--range=@{start + begin}..", t.trace, part] for begin in (first - 1, (first + events[-1]["time_ns"]) // 2)]
    for words in (*cuts, ["anonymize", part, other], ["repair", part, other], ["merge", other, t.trace, t.trace]):
        done = run([WEFT, *words])
        assert done.returncode == 0, done.stderr
        made = words[1] if words[0] == "merge" else words[-1]
        sound(made, go=words[0] == "cut")
        runs_without_proc(made, t.g("hog"))


def labels(t):
    """Each generation says what a goroutine's label is when it is first mentioned; changes are events."""
    told = [line.split(" ", 2) for line in kept(t.trace).splitlines()]
    child = str(t.g("child"))
    first = {g: label for gen, g, label in told if gen == "0"}
    equal((first["1"], first[child]), ("who=main", "who=main"))
    later = {g: label for gen, g, label in told if gen == "1"}
    equal((later["1"], later[child]), ("who=main", "job=1 who=main"))
    events = [json.loads(line) for line in run([WEFT, "events", "--json", "--kind=Label", t.trace]).stdout.splitlines()]
    equal([(e["id"], e["label"]) for e in events], [(t.g("child"), "job=1 who=main")])


def what_for(waits, named=True):
    """What each goroutine waits for in the end, in any order."""
    def text(o):
        return str({k: v for k, v in o.items() if named or k != "name"})
    return {row["g"]: (sorted(map(text, row["objects"])), row["holder"]) for row in waits["waiting"]}


def made_of_it(t):
    """Traces made of it know the same: whole ones all of it, a part what it begins with, and a part of that part, too."""
    made, again, direct = (t.trace + end for end in (".made", ".again", ".direct"))
    for words in (["cut", t.trace, made], ["repair", t.trace, made], ["merge", made, t.trace, t.trace]):
        done = run([WEFT, *words])
        assert done.returncode == 0, done.stderr
        sound(made, go=words[0] == "cut")
        equal(what_for(waits_of(made)), what_for(t.waits))
        equal((taken(made), kept(made)), (taken(t.trace), kept(t.trace)))
    done = run([WEFT, "anonymize", t.trace, made])
    assert done.returncode == 0, done.stderr
    sound(made, go=False)
    anonymous = waits_of(made)
    equal((what_for(anonymous, named=False), taken(made)), (what_for(t.waits, named=False), taken(t.trace)))
    names = [{o["id"]: o["name"] for o in w["objects"] if "name" in o} for w in (anonymous, t.waits)]
    assert names[0].keys() == names[1].keys() and not set(names[0].values()) & set(names[1].values()), names
    equal([line.split()[:2] for line in kept(made).splitlines()], [line.split()[:2] for line in kept(t.trace).splitlines()])
    start = start_of(t.trace)
    for ms, *words in ((5, t.trace, made), (15, made, again), (15, t.trace, direct)):
        done = run([WEFT, "cut", f"--range=@{start + ms * 1_000_000}..", *words])
        assert done.returncode == 0, done.stderr
        sound(words[-1], go=ms == 5)
        equal(what_for(waits_of(words[-1])), what_for(t.waits))
    with open(again, "rb") as a, open(direct, "rb") as b:
        assert a.read() == b.read(), "a part of a part is another one"


CASES = {"cycle": cycle, "late-cycle": late_cycle, "select": select, "channels": channels, "written": written, "read": read,
         "hog": hog, "late-hog": late_hog, "flight-hog": flight_hog, "labels": labels}


MADE = ("channels", "cycle", "hog", "labels", "select")  # of which others are made


def main():
    plan = [(kind, procs) for kind in CASES for procs in (("1",) if kind.endswith("hog") else ("1", "2"))]
    print(f"1..{len(plan)}")
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for i, (kind, procs) in enumerate(plan, 1):
            why = None
            try:
                told = Told(kind, folder, procs)
                CASES[kind](told)
                if kind in MADE and (procs == "2" or kind == "hog"):
                    made_of_it(told)
            except (AssertionError, KeyError, ValueError) as e:
                why = f"{type(e).__name__}: {e}"
            print(f"{'not ok' if why else 'ok'} {i} - {kind}, {procs} procs")
            if why:
                bad += 1
                print("\n".join("# " + line for line in why.splitlines()[:30]))
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
