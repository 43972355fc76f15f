#!/usr/bin/env python3
"""Fails when a file includes a floor that LAYERS does not allow.

    check_layers.py [ROOT]

For C the graph is ROOT/LAYERS and the files are ROOT/src; for the page ROOT/web/LAYERS and ROOT/web/src.  Public headers
(<wtr/...>, <weft/...>) count as the floors `wtr` and `weft`; those of a library may include only each other.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([\w./-]+)[>"]')
LIBRARIES = {"wtr", "weft"}
IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.{1,2}/[^'"]+)['"]""")


def graph(path):
    floors = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, colon, below = line.partition(":")
        if not colon:
            sys.exit(f"{path}:{number}: not `floor: floors beneath it`")
        floors[name.strip()] = set(below.split())
    for name, below in floors.items():
        for b in below - set(floors) - LIBRARIES:
            sys.exit(f"{path}: {name} names an unknown floor {b}")
    seen = set()
    for name, below in floors.items():  # only floors written above: so no circles
        if late := {b for b in below if b not in LIBRARIES and b not in seen}:
            sys.exit(f"{path}: {name} may not see {', '.join(sorted(late))}: floors are listed from low to high")
        seen.add(name)
    return floors


def c_includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if m := INCLUDE.match(line):
            yield number, m.group(1), m.group(2)


def check_c(root, floors):
    files, faults = 0, []
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in (".c", ".h", ".def", ".S"):
            continue
        floor = path.relative_to(root / "src").parts[0]
        files += 1
        if floor not in floors:
            faults.append(f"{path}:1: no floor named {floor} in LAYERS")
            continue
        for number, quote, name in c_includes(path):
            target = name.split("/")[0]
            if quote == "<" and target in floors:
                faults.append(f'{path}:{number}: write "{name}" for a header of the project')
            if quote == "<" and target not in LIBRARIES:
                continue
            if "/" not in name or name.startswith("."):
                faults.append(f'{path}:{number}: write the floor: "{name}" is relative')
            elif target != floor and target not in floors[floor]:
                faults.append(f"{path}:{number}: {floor} may not include {name}")
    for path in sorted((root / "include").rglob("*.h")):
        files += 1
        library = path.relative_to(root / "include").parts[0]
        for number, quote, name in c_includes(path):
            other = name.split("/")[0] in LIBRARIES - {library}
            if quote == '"' or other or ("/" in name and not name.startswith((library + "/", "sys/"))):
                faults.append(f"{path}:{number}: a public header may include only libc and <{library}/...>")
    return files, faults


def check_ts(web, floors):
    files, faults = 0, []
    src = web / "src"
    for path in sorted(p for p in src.rglob("*") if p.suffix in (".ts", ".tsx")):
        parts = path.relative_to(src).parts
        floor = parts[0] if len(parts) > 1 else "main"  # files on top of all floors
        files += 1
        if floor != "main" and floor not in floors:
            faults.append(f"{path}:1: no floor named {floor} in web/LAYERS")
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for name in IMPORT.findall(line):
                there = (path.parent / name).resolve()
                if src.resolve() not in there.parents:
                    faults.append(f"{path}:{number}: {name} is outside web/src")
                    continue
                rest = there.relative_to(src.resolve()).parts
                target = rest[0] if len(rest) > 1 else "main"
                if floor != "main" and target != floor and target not in floors[floor]:
                    faults.append(f"{path}:{number}: {floor} may not import {name}")
    return files, faults


def main(root):
    files, faults = check_c(root, graph(root / "LAYERS"))
    if (root / "web/LAYERS").exists():
        n, more = check_ts(root / "web", graph(root / "web/LAYERS"))
        files, faults = files + n, faults + more
    for f in faults:
        print(f)
    print(f"{files} files, {len(faults)} faults")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
