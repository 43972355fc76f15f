#!/usr/bin/env python3
"""Puts texts into a program: text_to_c.py OUT.h NAME=FILE..: each becomes `static const char *const NAME[]`, its lines, NULL at the end."""
import sys


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '\\n"'


def main(out, pairs):
    parts = ["/* made by tools/text_to_c.py */"]
    for pair in pairs:
        name, path = pair.split("=", 1)
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        parts.append(f"static const char *const {name}[] = {{\n\t" + ",\n\t".join(map(literal, lines)) + ",\n\t0\n};")
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(parts) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
