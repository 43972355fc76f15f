#!/usr/bin/env python3
"""Fails when docs/go-cases.md and the cases of test/rt disagree, or when a test of Go is missing there.

    check_cases.py [ROOT]

Each `program/case` of the document must be a case, each test of Go that a case says it has must stand in the document, and each
function of Go that a header of the runtime says it is like must be named by a case.  Where the sources of the Go that the document
speaks of are installed, each of its headings is compared with that file of Go's.
"""
import pathlib
import re
import subprocess
import sys

CASE = re.compile(r"^CASE\((\w+),(.*?)\)\n\{", re.M | re.S)
NAME = re.compile(r"`(\w+)/(\w+)`")
TEST = re.compile(r"\bTest[A-Z0-9]\w*")
LIKE = re.compile(r"Same\s+(?:\* )?as\s+(?:\* )?Go:(.*?)\*/", re.S)
FUNCTION = re.compile(r"\b(?:\w+\.)+([A-Z]\w*)")
HEADERS = ("chan", "ctx", "go", "net", "sync", "time")
GO = re.compile(r"^func (Test[A-Z0-9]\w*)\(t \*testing\.T\)|^func (Test[A-Z0-9]\w*)\(\w+ \*T\)", re.M)


def sections(text):
    """heading -> its rows, as (what Go has, what is here)."""
    found, title = {}, None
    for line in text.splitlines():
        if line.startswith("## "):
            title = line[3:]
            found[title] = []
        elif title and line.startswith("| ") and not line.startswith("| test of Go"):
            _, theirs, ours, _ = line.split("|")
            found[title].append((theirs.strip(), ours.strip()))
    return found


def cases_of(root):
    """(program, case) -> what it says it checks."""
    found = {}
    for path in sorted((root / "test/rt").glob("*.c")):
        for name, says in CASE.findall(path.read_text()):
            found[path.stem, name] = re.sub(r'"\s*"', "", says)
    return found


def claims(root):
    """(header, function) of Go's functions that headers say to be like."""
    for name in HEADERS:
        for claim in LIKE.findall((root / f"include/weft/{name}.h").read_text()):
            yield from ((name, function) for function in FUNCTION.findall(claim))


def go_sources(version):
    """The root of that Go, or None."""
    for go in ("go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        try:
            root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
            mine = (pathlib.Path(root) / "VERSION").read_text()
        except (OSError, subprocess.CalledProcessError):
            continue
        return pathlib.Path(root) if re.match(rf"go{re.escape(version)}\b", mine) else None
    return None


def compare(title, rows, go):
    """Tests that only one of the document and Go has."""
    listed = [name for theirs, _ in rows for name in theirs.split(", ")]
    yield from (f"{title}: {name} stands there twice" for name in sorted({n for n in listed if listed.count(n) > 1}))
    if title.endswith("_test.go"):
        there = {a or b for a, b in GO.findall((go / "src" / title).read_text())}
    elif title == "GOROOT/test/chan":
        there = {path.name for path in (go / "test/chan").glob("*.go")}
    else:
        return
    yield from (f"{title}: {name} is missing" for name in sorted(there - set(listed)))
    yield from (f"{title}: Go has no {name}" for name in sorted(set(listed) - there))


def main(root):
    text = (root / "docs/go-cases.md").read_text()
    cases, parts = cases_of(root), sections(text)
    faults = [f"docs/go-cases.md: there is no case {name} in test/rt/{program}.c" for program, name in NAME.findall(text)
              if (program, name) not in cases]
    listed = set(TEST.findall(text))
    for (program, name), says in cases.items():
        faults += [f"test/rt/{program}.c: {name} has {test}, which docs/go-cases.md does not have" for test in TEST.findall(says)
                   if test not in listed]
    words = set(re.findall(r"\w+", " ".join(cases.values())))
    faults += [f"include/weft/{header}.h: no case says what it has of {function}" for header, function in claims(root)
               if function not in words]
    for title, rows in parts.items():
        faults += [f"{title}: nothing is said of {theirs}" for theirs, ours in rows if not ours]
    go = go_sources(re.search(r"Of Go ([\d.]+)", text).group(1).rstrip("."))
    for title, rows in parts.items() if go else ():
        faults += compare(title, rows, go)
    for fault in faults:
        print(fault)
    print(f"{len(parts)} parts of Go, {len(cases)} cases, {len(faults)} faults" + ("" if go else "; Go's sources not looked at"))
    return 1 if faults or not parts or not cases else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
