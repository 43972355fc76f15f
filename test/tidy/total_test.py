#!/usr/bin/env python3
"""Does total.py count what happened, and call every way of not finishing a failure?  Prints TAP."""
import json
import pathlib
import subprocess
import sys
import tempfile

TOTAL = sys.argv[1]
TAP2 = "1..2\nok 1 a\nok 2 b\n"


def entry(result, stdout="", name="t"):
    return {"name": name, "result": result, "stdout": stdout}


CASES = [  # name, files, last line, exit status
    ("cases of a TAP program", {"a.json": [entry("OK", TAP2)]}, "2 passed, 0 failed, 0 skipped", 0),
    ("a program without TAP is one case", {"a.json": [entry("OK"), entry("FAIL")]}, "1 passed, 1 failed, 0 skipped", 1),
    ("a failed and a skipped case", {"a.json": [entry("FAIL", "1..3\nok 1 a\nnot ok 2 b\nok 3 c # SKIP no Go\n")]},
     "1 passed, 1 failed, 1 skipped", 1),
    ("a crash in the middle", {"a.json": [entry("ERROR", "1..3\nok 1 a\n")]}, "1 passed, 1 failed, 0 skipped", 1),
    ("an early end that exits with 0", {"a.json": [entry("OK", "1..3\nok 1 a\n")]}, "1 passed, 1 failed, 0 skipped", 1),
    ("a crash after the last case", {"a.json": [entry("FAIL", TAP2)]}, "2 passed, 1 failed, 0 skipped", 1),
    ("a timeout", {"a.json": [entry("TIMEOUT", TAP2)]}, "2 passed, 1 failed, 0 skipped", 1),
    ("a plan of no cases", {"a.json": [entry("OK", "1..0\n")]}, "0 passed, 1 failed, 0 skipped", 1),
    ("a program that skips all of it", {"a.json": [entry("SKIP", "1..0 # SKIP no Go\n"), entry("OK")]}, "1 passed, 0 failed, 1 skipped", 0),
    ("a suite without programs", {"a.json": [], "b.tap": "ok 1 b\n"}, "1 passed, 1 failed, 0 skipped", 1),
    ("an empty step file", {"a.tap": "", "b.tap": "ok 1 b\n"}, "1 passed, 1 failed, 0 skipped", 1),
    ("a step that ends before its plan", {"a.tap": "1..3\nok 1 a\n"}, "1 passed, 1 failed, 0 skipped", 1),
    ("nothing at all", {}, "0 passed, 1 failed, 0 skipped", 1),
    ("sums over suites", {"a.json": [entry("OK", TAP2)], "b.json": [entry("OK", TAP2)], "c.tap": "ok 1 c\n"},
     "5 passed, 0 failed, 0 skipped", 0),
]


def run(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            text = content if isinstance(content, str) else "".join(json.dumps(e) + "\n" for e in content)
            pathlib.Path(folder, name).write_text(text)
        p = subprocess.run([sys.executable, TOTAL, folder], capture_output=True, text=True)
        return p.returncode, p.stdout


print(f"1..{len(CASES)}")
bad = 0
for number, (name, files, last, status) in enumerate(CASES, 1):
    got, text = run(files)
    good = got == status and text.splitlines()[-1] == last
    bad += not good
    print(f"{'ok' if good else 'not ok'} {number} {name}")
    if not good:
        print(f"# wanted {status} {last!r}, got {got}: {text!r}")
sys.exit(bad != 0)
