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
