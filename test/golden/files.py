#!/usr/bin/env python3
"""Makes files of files with `weft` and looks at what came out.

    files.py WEFT CORPUS [NAME..]

NAME: only these tests.
"""
import json
import os
import pathlib
import subprocess
import sys

import tap

WEFT, CORPUS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
TRACES = sorted(CORPUS.glob("*.trace"))


def weft(*words, status=0):
    env = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"}
    env.update({k: v for k, v in os.environ.items() if "SAN_OPTIONS" in k})
    p = subprocess.run([WEFT, *map(str, words)], capture_output=True, env=env, timeout=120)
    if status is not None and p.returncode != status:
        raise AssertionError(f"weft {' '.join(map(str, words))}: status {p.returncode}: {p.stderr.decode()[:300]}")
    return p


def no_others(tmp, *wanted):
    found = sorted(p.name for p in tmp.iterdir())
    assert found == sorted(wanted), f"files left behind: {found}"


def test_packed_traces_come_back(tmp):
    for path in TRACES:
        weft("pack", path, tmp / "p")
        weft("unpack", tmp / "p", tmp / "u")
        assert (tmp / "u").read_bytes() == path.read_bytes(), path
    no_others(tmp, "p", "u")


def test_packed_traces_are_read_directly(tmp):
    for path in TRACES[::5]:
        weft("pack", path, tmp / "p")
        for command in (["check", "--json"], ["events", "--format=go"], ["goroutines"], ["dump"]):
            plain, packed = (weft(*command, p, status=None) for p in (path, tmp / "p"))
            assert plain.returncode == packed.returncode, (command, path)
            a, b = plain.stdout, packed.stdout
            if command[0] == "check":
                a, b = json.loads(a), json.loads(b)
                for x in (a, b):
                    for key in ("file", "compression", "file_bytes"):
                        x.pop(key, None)
            assert a == b, (command, path)
    assert json.loads(weft("summary", "--json", tmp / "p").stdout)["compression"] == "packed"


def test_a_torn_packed_trace_is_refused_by_unpack_and_leaves_nothing(tmp):
    weft("pack", CORPUS / "go1.26-locks.trace", tmp / "p")
    data = (tmp / "p").read_bytes()
    (tmp / "p").write_bytes(data[: len(data) - 40])
    weft("unpack", tmp / "p", tmp / "u", status=3)
    no_others(tmp, "p")


sys.exit(tap.run(globals(), sys.argv[3:]))
