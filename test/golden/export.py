#!/usr/bin/env python3
"""What `weft export` makes, taken apart and held against what SQL says of the same trace.  Prints TAP.

    export.py WEFT CORPUS
"""
import collections
import csv
import io
import json
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys

import tap

WEFT, CORPUS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
NAMES = ["go1.26-httpload", "go1.21-httpload", "go1.23-gcheavy", "go1.25-annotate", "go1.26-flight-2", "go1.26-hello", "go1.22-timers"]


def weft(*words, status=0):
    p = subprocess.run([WEFT, *map(str, words)], capture_output=True, timeout=120)
    assert p.returncode == status, f"{words}: {p.returncode}: {p.stderr.decode()[:300]}"
    return p.stdout


def ask(name, sql):
    return json.loads(weft("sql", "--json", CORPUS / f"{name}.trace", sql))["rows"]


def count(name, what):
    return ask(name, f"SELECT count(*) FROM {what}")[0][0]


# ---- protobuf ----

def varint(data, at):
    value = shift = 0
    while True:
        b = data[at]
        at += 1
        value |= (b & 127) << shift
        shift += 7
        if b < 128:
            return value, at


def fields(data):
    """Field number -> values."""
    found, at = collections.defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        elif key & 7 == 2:
            n, at = varint(data, at)
            value, at = data[at : at + n], at + n
            assert len(value) == n, "a field reaches beyond its message"
        else:
            raise AssertionError(f"wire type {key & 7}")
        found[key >> 3].append(value)
    return found


BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4


def category(event, on, tracks):
    """Of a slice that begins; what it must lie on follows from it."""
    if not event[22]:
        return ""
    word = event[22][0].decode()
    if word == "region":
        assert tracks[on][2] == [b"regions"] and tracks[on][5][0] in tracks
    if word == "task":
        assert tracks[tracks[on][5][0]][2] == [b"User tasks"]
    return word


def test_perfetto_tracks_slices_flows_and_counters(tmp):
    for name in NAMES:
        weft("export", "perfetto", CORPUS / f"{name}.trace", tmp / "out")
        tracks, kinds, out, into = {}, collections.Counter(), {}, {}
        depth, last, user = collections.Counter(), {}, collections.Counter()
        trace = fields((tmp / "out").read_bytes())
        assert list(trace) == [1], list(trace)
        for raw in trace[1]:
            p = fields(raw)
            assert p[10] == [1]
            if 60 in p:
                t = fields(p[60][0])
                assert t[1][0] not in tracks, "a track is told twice"
                assert not t[5] or t[5][0] in tracks, "a track's parent is not told before it"
                tracks[t[1][0]] = t
                continue
            e, time = fields(p[11][0]), p[8][0]
            kind, on = e[9][0], e[11][0]
            kinds[kind] += 1
            if kind in (BEGIN, END):
                assert on in tracks and 8 not in tracks[on], f"slice on {on}"
                assert time >= last.get(on, 0), "slices of a track are out of order"
                last[on] = time
                depth[on] += 1 if kind == BEGIN else -1
                assert depth[on] in (0, 1) or (tracks[on][2] == [b"regions"] and depth[on] > 0)
                user[tracks[on][2][0] if depth[on] < 0 else category(e, on, tracks)] += kind == BEGIN
                assert kind == END or e[23][0]
            elif kind == COUNTER:
                assert 8 in tracks[on] and len(e[30]) == 1
            for f in e[47]:
                assert f not in out
                out[f] = time
            for f in e[48]:
                assert f not in into
                into[f] = time
        assert not any(depth.values()), "a slice is left open"
        assert out.keys() == into.keys() and all(out[f] <= into[f] for f in out)
        assert user["task"] == count(name, "tasks WHERE id <> 0"), (name, user)
        assert user["region"] == count(name, "regions WHERE NOT inherited"), (name, user)
        slices = count(name, "g_states") + count(name, "p_states") + user["task"] + user["region"]
        assert kinds[BEGIN] == kinds[END] >= slices, (name, kinds, slices)
        assert kinds[COUNTER] == count(name, "metrics")
        assert kinds[INSTANT] == len(out) + count(name, "logs")
        assert name == "go1.26-hello" or len(out) > 10, name


def test_chrome_is_json_with_the_same_slices(tmp):
    for name in NAMES:
        weft("export", "chrome", CORPUS / f"{name}.trace", tmp / "out")
        events = json.loads((tmp / "out").read_text())["traceEvents"]
        by = collections.Counter(e["ph"] for e in events)
        assert by["X"] >= count(name, "g_states") + count(name, "p_states")
        assert by["C"] == count(name, "metrics") and by["s"] == by["f"] and by["i"] == count(name, "logs")
        assert by["b"] == by["e"] == count(name, "tasks WHERE id <> 0") + count(name, "regions WHERE NOT inherited")
        for e in events:
            assert e["ph"] == "M" or e["ts"] >= 0
            assert e["ph"] in "CM" or "cat" in e or e["ph"] == "i"
        names = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
        assert {(e["pid"], e["tid"]) for e in events if e["ph"] == "X"} <= names


def test_collapsed_is_what_the_profile_prints(tmp):
    for kind in ("sched", "offcpu", "create"):
        path = CORPUS / f"{NAMES[0]}.trace"
        weft("export", "collapsed", f"--profile={kind}", path, tmp / "out")
        assert (tmp / "out").read_bytes() == weft("profile", kind, "--flame", path)
    weft("export", "collapsed", path, tmp / "out")
    assert (tmp / "out").read_bytes() == weft("profile", "offcpu", "--flame", path)


def test_csv_has_the_rows_of_the_table(tmp):
    for name in NAMES[:4]:
        for table in ("goroutines", "events", "logs", "g_states", "frames"):
            weft("export", "csv", f"--table={table}", CORPUS / f"{name}.trace", tmp / "out")
            rows = list(csv.reader(io.StringIO((tmp / "out").read_bytes().decode("utf-8", "replace"), newline="")))
            assert len(rows) == 1 + count(name, table), (name, table)
            assert {len(r) for r in rows} == {len(rows[0])}


def test_sqlite_has_all_tables(tmp):
    weft("export", "sqlite", CORPUS / f"{NAMES[0]}.trace", tmp / "out")
    db = sqlite3.connect(tmp / "out")
    tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert len(tables) > 20
    for t in tables:
        assert db.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] == count(NAMES[0], t), t
    db.close()
    assert [p.name for p in tmp.iterdir()] == ["out"]


def test_what_fails_leaves_nothing(tmp):
    trace = CORPUS / "go1.26-hello.trace"
    weft("export", "csv", trace, tmp / "out", status=2)
    weft("export", "csv", "--table=none", trace, tmp / "out", status=2)
    weft("export", "nothing", trace, tmp / "out", status=2)
    weft("export", "sqlite", trace, "-", status=2)
    weft("export", "sqlite", trace, tmp / "no/out", status=3)
    weft("export", "perfetto", CORPUS / "bad-text.trace", tmp / "out", status=3)
    assert list(tmp.iterdir()) == []


sys.exit(tap.run(globals()))
