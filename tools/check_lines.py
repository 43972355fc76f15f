#!/usr/bin/env python3
"""Fails when a line of C is longer than 120 columns, a tab reaching to the next multiple of 8.

    check_lines.py [ROOT]
"""
import pathlib
import subprocess
import sys

COLUMNS = 120


def main(root):
    names = subprocess.run(["git", "-C", root, "ls-files", "*.c", "*.h"], capture_output=True, text=True, check=True).stdout.split()
    faults = 0
    for name in names:
        path = root / name
        for number, line in enumerate(path.read_text(errors="replace").splitlines() if path.is_file() else [], 1):
            if len(line.expandtabs(8)) > COLUMNS:
                print(f"{name}:{number}: {len(line.expandtabs(8))} columns")
                faults += 1
    print(f"{len(names)} files, {faults} lines of more than {COLUMNS} columns")
    return 1 if faults or not names else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
