#!/usr/bin/env python3
"""Runs `weft` on real traces and compares what it says with what is written in cases/*.case.

    golden.py WEFT CORPUS ZST DOCS [--update] [CASE..]

A case file holds commands with what they shall print:

    # a remark
    $ summary go1.26-hello.trace          weft's arguments as in a shell; `< FILE` is its standard input, COLUMNS=80 before
                                          them the terminal's width
    | a line of standard output           (a last line without a line feed ends in ` \\`)
    ! a line of standard error
    = 1                                   exit status, where it is not 0

{made}/NAME.trace is made of traces/NAME.txt beside this file.
{any} in an expected line stands for any text: for sentences of the reader, which its own tests hold.

CORPUS is the current directory; {zst} is the folder of the compressed traces, {tmp} an empty one.  Every answer in JSON is
parsed, and its keys are held against DOCS (docs/json.md), both ways.  --update writes what it sees into the case files.
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent


class Case:
    def __init__(self, line):
        self.line, self.out, self.err, self.status = line, [], [], 0


def read_cases(path):
    """The file as a list of remarks (texts) and cases, in order."""
    items = []
    for number, line in enumerate(path.read_text().split("\n"), 1):
        mark, rest = line[:1], line[2:]
        if mark == "$":
            items.append(Case(rest))
        elif mark in ("|", "!", "="):
            case = items[-1]
            if mark == "=":
                case.status = int(rest)
            else:
                (case.out if mark == "|" else case.err).append(rest)
        elif mark in ("#", ""):
            items.append(line)
        else:
            sys.exit(f"{path}:{number}: {line!r}: begins with none of $ | ! = #")
    return items


def lines(data, where):
    text = data.decode("utf-8", "surrogateescape")
    for name, folder in where.items():
        text = text.replace(folder, "{" + name + "}")
    if not text:
        return []
    return text[:-1].split("\n") if text.endswith("\n") else (text + " \\").split("\n")


def run(weft, case, corpus, where):
    words = shlex.split(case.line.format(**where))
    columns = words.pop(0) if words and words[0].startswith("COLUMNS=") else ""
    stdin = subprocess.DEVNULL
    if "<" in words:
        at = words.index("<")
        stdin = open(pathlib.Path(corpus) / words[at + 1], "rb")
        words = words[:at]
    env = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"}
    if columns:
        env["COLUMNS"] = columns[8:]
    env.update({k: v for k, v in os.environ.items() if "SAN_OPTIONS" in k})
    p = subprocess.run([weft] + words, cwd=corpus, stdin=stdin, capture_output=True, env=env, timeout=60)
    return words, p


def fits(got, want):
    if "{any}" not in want:
        return got == want
    return re.fullmatch(".*".join(re.escape(part) for part in want.split("{any}")), got) is not None


def merged(got, want):
    """What to write for `got`: lines that were right stay as they are."""
    if len(got) != len(want):
        return got
    return [w if fits(g, w) else g for g, w in zip(got, want)]


def write_cases(path, items):
    out = []
    for item in items:
        if isinstance(item, str):
            out.append(item)
            continue
        out.append("$ " + item.line)
        out += [("| " + x).rstrip(" ") if not x else "| " + x for x in item.out] + ["! " + x for x in item.err]
        if item.status:
            out.append(f"= {item.status}")
    path.write_text("\n".join(out), errors="surrogateescape")


# ---- JSON against its description ----

def documented(path):
    """Section -> keys of its table."""
    sections, section = {}, None
    for line in path.read_text().split("\n"):
        if m := re.match(r"## (?:weft )?(\w+)$", line):
            section = sections.setdefault(m.group(1), set())
        elif m := re.match(r"\| `([^`]+)` \|", line):
            section.add(m.group(1))
    for name in ("summary", "goroutines", "tasks", "regions", "why", "requests", "waits"):
        sections[name] |= sections["damage"]
    del sections["damage"]
    return sections


def keys(value, path=""):
    if isinstance(value, list):
        for v in value:
            yield from keys(v, path + "[]")
    elif isinstance(value, dict):
        for k, v in value.items():
            yield (path + "." if path else "") + k
            yield from keys(v, (path + "." if path else "") + k)


def json_keys(command, text):
    """Keys of an answer; ValueError when it is no JSON."""
    values = [json.loads(x) for x in text.splitlines()] if command == "events" else [json.loads(text)]
    found = set()
    for v in values:
        if not isinstance(v, dict):
            raise ValueError("not an object")
        found |= set(keys(v))
    # what stands in the table once for all
    found = {k for k in found if not re.match(r"by_kind\.(?!Sync$)|args\.|findings\[\]\.values\.", k)}
    return found


def main():
    args = [a for a in sys.argv[1:] if a != "--update"]
    update = "--update" in sys.argv
    weft, corpus, zst, docs = map(os.path.abspath, args[:4])
    only = args[4:]
    sections = documented(pathlib.Path(docs))
    seen = {name: set() for name in sections}
    made = tempfile.TemporaryDirectory()
    for text in sorted((HERE / "traces").glob("*.txt")):
        subprocess.run([weft, "assemble", text, "-o", os.path.join(made.name, text.stem + ".trace")], check=True)
    n = failed = 0

    def result(ok, name, why=""):
        nonlocal n, failed
        n += 1
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {n} {name}")
        for line in why.split("\n") if why else []:
            print(f"# {line}")

    for path in sorted((HERE / "cases").glob("*.case")):
        if only and path.stem not in only:
            continue
        items = read_cases(path)
        for case in (i for i in items if isinstance(i, Case)):
            with tempfile.TemporaryDirectory() as tmp:
                where = {"zst": zst, "tmp": tmp, "made": made.name}
                words, p = run(weft, case, corpus, where)
                out, err = lines(p.stdout, where), lines(p.stderr, where)
            name, why = f"{path.stem}: weft {case.line}", []
            if update:
                case.out, case.err, case.status = merged(out, case.out), merged(err, case.err), p.returncode
            if p.returncode != case.status:
                why.append(f"exit status {p.returncode}, not {case.status}")
            for what, got, want in (("standard output", out, case.out), ("standard error", err, case.err)):
                if len(got) != len(want) or not all(map(fits, got, want)):
                    at = next((i for i, (a, b) in enumerate(zip(got, want)) if not fits(a, b)), min(len(got), len(want)))
                    why.append(f"{what}, line {at + 1}: {got[at] if at < len(got) else '(end)'!r}")
                    why.append(f"           expected: {want[at] if at < len(want) else '(end)'!r}")
            if words and words[0] in ("repair", "merge"):
                words[0] = "cut"  # the same answer
            if ("--json" in words or "--format=json" in words) and p.stdout:
                try:
                    found = json_keys(words[0], p.stdout.decode())
                    seen[words[0]] |= found
                    if unknown := found - sections[words[0]]:
                        why.append(f"keys that docs/json.md does not have: {', '.join(sorted(unknown))}")
                except ValueError as e:
                    why.append(f"not JSON: {e}")
            result(not why, name, "\n".join(why))
        if update:
            write_cases(path, items)
    if not only:
        for name in sections:
            missing = sections[name] - seen[name]
            result(not missing, f"docs/json.md: every key of {name} occurs", "never seen: " + ", ".join(sorted(missing)) if missing else "")
    print(f"1..{n}")
    return failed != 0


sys.exit(main())
