#!/usr/bin/env python3
"""Adds up the results of all test steps and prints `N passed, N failed, N skipped` as the last line.

    total.py FOLDER

FOLDER holds Meson's testlog.json of each build kind (NAME.json) and TAP files of the other steps (NAME.tap).  A test
program that crashes, times out, stops before its plan is done or reports no case at all counts as a failed case.  What
a failed program said follows it, so that the end of a long log is enough.
Exit status 1 when anything failed, or nothing ran.
"""
import json
import pathlib
import re
import sys

CASE = re.compile(r"^(not )?ok\b\s*\d*\s*(.*)$")
SKIP = re.compile(r"#\s*skip", re.I)
PLAN = re.compile(r"^1\.\.(\d+)")


def tap(text):
    """(passed, failed names, skipped, planned or None) of a TAP stream."""
    passed, failed, skipped, plan = 0, [], 0, None
    for line in text.splitlines():
        if m := PLAN.match(line):
            plan = int(m.group(1))
        elif m := CASE.match(line):
            if SKIP.search(m.group(2)):
                skipped += 1
            elif m.group(1):
                failed.append(m.group(2))
            else:
                passed += 1
    return passed, failed, skipped, plan


def program(entry):
    """The same three numbers for one line of Meson's testlog.json."""
    passed, failed, skipped, plan = tap(entry.get("stdout") or "")
    result = entry["result"]
    if plan is None:  # judged by its exit status, or a TAP program that died at once
        if result == "OK":
            return 1, [], 0
        if result == "SKIP":
            return 0, [], 1
        return 0, [result.lower()], 0
    seen = passed + len(failed) + skipped
    if plan == 0 and result == "SKIP":  # `1..0 # SKIP why`: the whole program
        return 0, [], 1
    if seen == 0:
        failed.append("no case ran")
    elif seen < plan:
        failed.append(f"{seen} of {plan} cases ran")
    if result not in ("OK", "SKIP") and not failed:
        failed.append(result.lower())
    return passed, failed, skipped


def words(entry, most=40):
    """What a failed program said but for the cases that passed: the last lines of either stream."""
    out = [line for line in (entry.get("stdout") or "").splitlines() if not re.match(r"ok\b|1\.\.", line)]
    return [line[:300] for line in out[-most:] + (entry.get("stderr") or "").splitlines()[-most:]]


def main(folder):
    passed = failed = skipped = 0
    for path in sorted(pathlib.Path(folder).iterdir()):
        step = [0, 0, 0]
        if path.suffix == ".json":
            runs = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
            rows = [(r["name"], *program(r), words(r)) for r in runs]
        else:
            text = path.read_text()
            plan = tap(text)[3]
            rows = [(path.stem, *(tap(text)[:3] if plan is None else program({"stdout": text, "result": "OK"})), [])]
        for name, p, f, s, said in rows:
            step[0] += p
            step[1] += len(f)
            step[2] += s
            for case in f:
                print(f"FAILED {path.stem}: {name}: {case}")
            if f:
                print("".join(f"    {line}\n" for line in said), end="")
        if sum(step) == 0:
            print(f"FAILED {path.stem}: no test ran")
            step[1] += 1
        print(f"{path.stem:16} {step[0]:6} passed {step[1]:4} failed {step[2]:4} skipped")
        passed, failed, skipped = passed + step[0], failed + step[1], skipped + step[2]
    if passed + failed == 0:
        print("FAILED: no test ran at all")
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
