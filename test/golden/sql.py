#!/usr/bin/env python3
"""The questions of docs/sql.md, and what SQL answers beside what the other commands say.  Prints TAP.

    sql.py WEFT CORPUS DOC
"""
import json
import os
import pathlib
import re
import subprocess
import sys

import tap

WEFT, CORPUS, DOC = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
NAMES = ["go1.26-httpload", "go1.21-httpload", "go1.23-gcheavy", "go1.25-annotate-gens", "go1.26-flight-2", "go1.26-hello"]


def weft(*words, status=0, stdin=None):
    p = subprocess.run([WEFT, *map(str, words)], capture_output=True, input=stdin, timeout=120)
    assert status is None or p.returncode == status, f"{words}: {p.returncode}: {p.stderr.decode()[:300]}"
    return p


def ask(name, sql):
    return json.loads(weft("sql", "--json", CORPUS / f"{name}.trace", sql).stdout)["rows"]


def summary(name, command="summary"):
    return json.loads(weft(command, "--json", CORPUS / f"{name}.trace").stdout)


def test_questions_of_the_document():
    questions = re.findall(r"```sql\n(.*?)```", DOC.read_text(), re.S)
    assert len(questions) == 10, len(questions)
    for name in NAMES:
        for q in questions:
            rows = ask(name, q)
            assert rows or name != "go1.26-httpload", q


def test_counts_are_those_of_summary():
    for name in NAMES:
        s = summary(name)
        kinds = dict(ask(name, "SELECT kind, count(*) FROM events GROUP BY kind"))
        assert kinds == {k: v for k, v in s["by_kind"].items() if v}, name
        for table, key in (("goroutines", "goroutines"), ("procs", "procs"), ("samples", "cpu_samples"), ("regions", "regions")):
            assert ask(name, f"SELECT count(*) FROM {table}") == [[s[key]]], (name, table)


def test_states_add_up_to_what_goroutines_say():
    for name in NAMES[:3]:
        ours = dict(ask(name, "SELECT g, sum(dur_ns) FROM g_states WHERE state = 'Running' GROUP BY g"))
        for g in summary(name, "goroutines")["goroutines"]:
            assert ours.get(g["id"], 0) == g["exec_ns"], (name, g["id"])


def test_what_is_pushed_down_gives_the_same_rows():
    name = "go1.26-httpload"
    begin, end = ask(name, "SELECT min(time_ns), max(time_ns) FROM syncs")[0]
    a, b = begin + (end - begin) // 4, begin + (end - begin) // 2
    for table, time in (("events", "time_ns"), ("g_states", "start_ns"), ("g_states", "end_ns"), ("p_states", "start_ns"), ("metrics", "time_ns"), ("ranges", "start_ns")):
        for op1, op2 in ((">=", "<"), (">", "<="), ("=", "<="), (">", "<")):
            fast = ask(name, f"SELECT * FROM {table} WHERE {time} {op1} {a} AND {time} {op2} {b}")
            slow = ask(name, f"SELECT * FROM {table} WHERE +{time} {op1} {a} AND +{time} {op2} {b}")
            assert fast == slow, (table, time, op1, op2, len(fast), len(slow))
    for table in ("events", "g_states"):
        assert ask(name, f"SELECT * FROM {table} WHERE g = 1") == ask(name, f"SELECT * FROM {table} WHERE +g = 1"), table
    assert ask(name, "SELECT * FROM events WHERE type = 'GoBlock'") == ask(name, "SELECT * FROM events WHERE +type = 'GoBlock'")
    assert ask(name, "SELECT * FROM events WHERE type = 'None'") == []
    assert ask(name, "SELECT * FROM events WHERE type = 'Sync'") == ask(name, "SELECT * FROM events WHERE kind = 'Sync'")
    assert ask(name, "SELECT * FROM goroutines WHERE id = 1.5") == []
    assert ask(name, "SELECT count(*) FROM goroutines WHERE id > 0.5 AND id < 1.5") == [[1]]
    stack = ask(name, "SELECT max(stack) FROM events")[0][0]
    assert ask(name, f"SELECT * FROM frames WHERE stack = {stack}") == ask(name, f"SELECT * FROM frames WHERE +stack = {stack}") != []


def test_rows_that_two_constraints_find_are_there_once():
    """SQLite asks for each side of OR by itself, and tells rows apart by their key."""
    name = "go1.26-httpload"
    early = ask(name, "SELECT min(time_ns) + 1000000 FROM syncs")[0][0]
    for table, a, b in (("events", "g = 1", "type = 'GoCreate'"), ("g_states", "g = 1", f"start_ns < {early}"), ("p_states", "p = 1", f"start_ns < {early}"),
                        ("goroutines", "id = 1", "rowid = 3")):
        fast = ask(name, f"SELECT count(*) FROM {table} WHERE {a} OR {b}")
        assert fast == ask(name, f"SELECT count(*) FROM {table} WHERE +{a} OR +{b}") != [[0]], (table, fast)
    assert ask(name, "SELECT count(*) FROM events WHERE type = 'gocreate' COLLATE NOCASE") == ask(name, "SELECT count(*) FROM events WHERE type = 'GoCreate'")


def test_numbers_of_rows_lead_to_them():
    name = "go1.26-httpload"
    joined = ask(name, "SELECT count(*), sum(g.id = b.id) FROM goroutines b JOIN groups x ON x.rowid = b.\"group\" JOIN goroutines g ON g.rowid = b.rowid")[0]
    assert joined == [ask(name, "SELECT count(*) FROM goroutines")[0][0]] * 2, joined
    assert ask(name, "SELECT id FROM goroutines WHERE rowid IN (0, 1, 100000, -1, 'x')") == ask(name, "SELECT id FROM goroutines LIMIT 2")


# ---- several traces ----

def ask_all(words, sql, status=0):
    p = weft("sql", "--json", *words, sql, status=status)
    return json.loads(p.stdout)["rows"], p.stderr


def test_several_traces_are_one_database():
    paths = {name: str(CORPUS / f"{name}.trace") for name in NAMES}
    for table in ("events", "wakeups", "g_states", "m_states", "frames", "goroutines", "regions", "syncs", "objects"):
        rows, _ = ask_all(paths.values(), f"SELECT trace, count(*) FROM {table} GROUP BY trace")
        alone = {paths[n]: ask(n, f"SELECT count(*) FROM {table}")[0][0] for n in NAMES}
        assert dict(rows) == {k: v for k, v in alone.items() if v}, table
    for table, order in (("events", "time_ns"), ("g_states", "g, start_ns"), ("tasks", "id, name, start_ns"), ("frames", "stack, depth")):
        numbers = table == "tasks"  # of rows: they differ
        rows, _ = ask_all(paths.values(), f"SELECT {f'trace, {order}' if numbers else '*'} FROM {table} ORDER BY trace, {order}")
        assert rows == [[paths[n]] + r for n in sorted(NAMES) for r in ask(n, f"SELECT {order if numbers else '*'} FROM {table} ORDER BY {order}")], table


def test_of_several_traces_too_what_is_pushed_down_gives_the_same_rows():
    words = [CORPUS / f"{n}.trace" for n in NAMES[:3]]
    time = ask(NAMES[0], "SELECT min(time_ns) + 5000000 FROM syncs")[0][0]
    for table, a in (("events", f"time_ns < {time} AND g = 1"), ("events", f"trace = '{words[1]}' AND type = 'GoBlock'"), ("g_states", "g = 1 AND end_ns > 0"),
                     ("g_states", f"trace = '{words[2]}' AND g < 20"), ("goroutines", "id = 1"), ("goroutines", f"id = 1 AND trace = '{words[0]}'"),
                     ("goroutines", "trace = 'none'"), ("stacks", "id = 3")):
        slow = " AND ".join("+" + x for x in a.split(" AND "))
        assert ask_all(words, f"SELECT * FROM {table} WHERE {a}") == ask_all(words, f"SELECT * FROM {table} WHERE {slow}"), a
        plan = ask_all(words, f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {a}")[0][-1][-1]
        scan = ask_all(words, f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {slow}")[0][-1][-1]
        assert plan.startswith(f"SCAN {table} VIRTUAL TABLE INDEX ") and plan != scan, (plan, scan)
    for column in ("state", "g"):
        assert ask_all(words, f"SELECT {column}, count(*) FROM g_states GROUP BY {column}") == ask_all(words, f"SELECT +{column}, count(*) FROM g_states GROUP BY +{column}")
    both, _ = ask_all(words, "SELECT count(*), sum(x.trace = g.trace) FROM goroutines g JOIN groups x ON x.rowid = g.\"group\"")
    assert both[0][0] == both[0][1] == sum(ask(n, "SELECT count(*) FROM goroutines")[0][0] for n in NAMES[:3]), both


def test_only_the_trace_that_is_asked_for_is_read():
    good, torn = CORPUS / "go1.26-hello.trace", CORPUS / "go1.26-longrun-cut70.trace"
    sql = "SELECT trace, count(*) FROM goroutines GROUP BY trace"
    rows, err = ask_all([good, torn], sql)
    assert [r[0] for r in rows] == [str(good), str(torn)] and err.startswith(b"weft: " + bytes(torn)), err
    assert ask_all([good, torn], f"SELECT trace, count(*) FROM goroutines WHERE trace = '{good}' GROUP BY trace") == (rows[:1], b"")


def test_a_broken_trace_does_not_stop_the_rest(tmp):
    good = CORPUS / "go1.26-hello.trace"
    rows, err = ask_all([CORPUS / "bad-version.trace", good, tmp / "none"], "SELECT DISTINCT trace FROM events", status=3)
    assert rows == [[str(good)]] and err.count(b"weft: ") == 2, err
    weft("sql", CORPUS / "bad-version.trace", tmp / "none", "SELECT 1", status=3)
    for name in ("a b.trace", "x.trace"):
        (tmp / name).write_bytes(good.read_bytes())
    assert ask_all([tmp], "SELECT DISTINCT trace FROM events")[0] == [[f"{tmp}/a b.trace"], [f"{tmp}/x.trace"]]
    p = weft("sql", tmp / "x.trace", tmp / "a b.trace", stdin=b"SELECT count(DISTINCT trace) FROM syncs;\n")
    assert p.stdout.endswith(b"\n2\n"), p.stdout


def test_orders_that_tables_have_themselves():
    for name in NAMES[:2]:
        for table, column in (("g_states", "state"), ("g_states", "g"), ("p_states", "p"), ("events", "time_ns")):
            assert ask(name, f"SELECT {column}, count(*) FROM {table} GROUP BY {column}") == \
                ask(name, f"SELECT +{column}, count(*) FROM {table} GROUP BY +{column}"), (table, column)
            rows = ask(name, f"SELECT {column} FROM {table} ORDER BY {column}")
            assert rows == sorted(rows), (table, column)


def test_errors_are_one_line_with_what_would_be_right():
    p = weft("sql", CORPUS / "go1.26-hello.trace", "SELECT nope FROM events", status=2)
    assert b"no such column: nope" in p.stderr and p.stdout == b"", p.stderr
    assert b"events has time_ns, kind, type," in p.stderr and b"g_states" not in p.stderr, p.stderr
    for sql, right in (("SELECT s.dur FROM G_States s", b"did you mean dur_ns?"), ("SELECT tme_ns FROM events WHERE text = 'tasks'", b"did you mean time_ns?"),
                       ("SELECT 1 FROM event", b"did you mean events?\n  there are events, wakeups,"), ("SELECT x", b"there are events, wakeups,"),
                       ("SELECT g FROM events, g_states", b"table.g"), ("SELEC 1", b"docs/sql.md")):
        p = weft("sql", CORPUS / "go1.26-hello.trace", sql, status=2)
        assert p.stderr.startswith(b"weft: SQL: ") and right in p.stderr and max(map(len, p.stderr.splitlines())) < 120, (sql, p.stderr)
        assert not (sql.endswith("'tasks'") and b"tasks has" in p.stderr), p.stderr
    p = weft("sql", CORPUS / "go1.26-hello.trace", "DELETE FROM events", status=2)
    assert b"may not be modified" in p.stderr, p.stderr
    weft("sql", CORPUS / "none.trace", "SELECT 1", status=3)


def test_prompt_takes_statements_from_a_pipe():
    p = weft("sql", CORPUS / "go1.26-hello.trace", stdin=b".tables\nSELECT count(*)\nFROM events;\n.quit\n")
    assert p.stdout.endswith(b"count(*)\n28\n") and b"g_states\n" in p.stdout, p.stdout


def test_lanes_come_in_either_direction():
    path = str(CORPUS / "go1.26-annotate.trace")
    for table in ("g_states", "p_states", "m_states"):
        def ask(text):
            return subprocess.run([WEFT, "sql", path, text], check=True, capture_output=True, timeout=60).stdout.decode().split("\n")[1:-1]
        lane = table[0]
        rows = ask(f"SELECT {lane}, count(*), sum(end_ns - start_ns) FROM {table} GROUP BY {lane} ORDER BY {lane}")
        assert rows
        assert ask(f"SELECT {lane}, count(*), sum(end_ns - start_ns) FROM {table} GROUP BY {lane} ORDER BY {lane} DESC") == rows[::-1]
        assert sorted(ask(f"SELECT {lane}, count(*), sum(end_ns - start_ns) FROM {table} GROUP BY {lane} ORDER BY 2 DESC")) == sorted(rows)


sys.exit(tap.run(globals()))
