#!/usr/bin/env python3
"""Fails when a file includes a floor that LAYERS does not allow.

    check_layers.py [ROOT]

For C the graph is ROOT/LAYERS and the files are ROOT/src; for the page ROOT/web/LAYERS and ROOT/web/src.  A floor with a
LAYERS of its own (src/rt) is cut into sub-floors: that file names them and says who may include whom inside, and which
of the floors that ROOT/LAYERS gives to the whole each of them may use.  Public headers (<wtr/...>, <weft/...>) count as
the floors `wtr` and `weft`; those of one folder may include only each other.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([\w./-]+)[>"]')
LIBRARIES = {"wtr", "weft"}
IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.{1,2}/[^'"]+)['"]""")
KINDS = (".c", ".h", ".def", ".S")


def graph(path, outside=LIBRARIES):
    """floor -> floors beneath it; `outside` are names that rows may use without being rows themselves."""
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
        for b in below - set(floors) - outside:
            sys.exit(f"{path}: {name} names an unknown floor {b}")
    seen = set()
    for name, below in floors.items():  # only floors written above: so no circles
        if late := {b for b in below if b not in outside and b not in seen}:
            sys.exit(f"{path}: {name} may not see {', '.join(sorted(late))}: floors are listed from low to high")
        seen.add(name)
    return floors


def c_includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if m := INCLUDE.match(line):
            yield number, m.group(1), m.group(2)


def c_files(folder, *kinds):
    return sorted(p for p in folder.rglob("*") if p.suffix in kinds)


def sub_graphs(root, floors):
    """floor -> graph of its sub-floors, for floors that have one."""
    return {f: graph(path, outside=below) for f, below in floors.items() if (path := root / "src" / f / "LAYERS").exists()}


def place(name, subs):
    """The floor of a path beneath src and, if that one has them, its sub-floor."""
    parts = name.split("/")
    return parts[0], parts[1] if parts[0] in subs and len(parts) > 2 else None


def forbidden(here, there, floors, subs):
    """May a file of `here` include one of `there`?  Then None; else whose rule forbids it."""
    (floor, sub), (floor2, sub2) = here, there
    if floor != floor2 and floor2 not in floors[floor]:
        return floor
    if sub is None:
        return None
    target = sub2 if floor == floor2 else floor2
    return None if target == sub or target in subs[floor][sub] else f"{floor}/{sub}"


def check_c(root, floors):
    subs = sub_graphs(root, floors)
    files, faults = 0, []
    for path in c_files(root / "src", *KINDS):
        here = floor, sub = place(path.relative_to(root / "src").as_posix(), subs)
        files += 1
        if floor not in floors or (floor in subs and sub not in subs[floor]):
            where = "LAYERS" if floor not in floors else f"src/{floor}/LAYERS"
            faults.append(f"{path}:1: no floor named {floor if floor not in floors else sub or path.name} in {where}")
            continue
        for number, quote, name in c_includes(path):
            target = name.split("/")[0]
            if quote == "<" and target in floors:
                faults.append(f'{path}:{number}: write "{name}" for a header of the project')
            if quote == "<" and target not in LIBRARIES:
                continue
            if "/" not in name or name.startswith("."):
                faults.append(f'{path}:{number}: write the floor: "{name}" is relative')
            elif who := forbidden(here, place(name, subs), floors, subs):
                faults.append(f"{path}:{number}: {who} may not include {name}")
    for path in c_files(root / "include", ".h"):
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
