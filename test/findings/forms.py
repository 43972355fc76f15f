#!/usr/bin/env python3
"""Every value that a sentence of src/an/find/rules.def names is given by the code of a rule.

    forms.py SRC/AN/FIND
"""
import pathlib
import re
import sys

folder = pathlib.Path(sys.argv[1])
code = "".join(p.read_text() for p in folder.glob("rule_*.c"))
table = (folder / "rules.def").read_text()
given = set(re.findall(r'an_found_(?:count|ns|bytes|percent|number|text|g)\(d, "(\w+)"', code))
given |= set(re.findall(r'name\(k, d, [^;]*?"(\w+)", "(\w+)", "(\w+)"\)', code) and sum(re.findall(r'name\(k, d, [^;]*?"(\w+)", "(\w+)", "(\w+)"\)', code), ()))
forms = re.findall(r'^FORM\((\w+), (\w+), "(.*)"\)$', table, re.M)
rules = re.findall(r"^RULE\((\w+),", table, re.M)
n = failed = 0


def result(ok, name, why=""):
    global n, failed
    n += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {n} {name}" + ("" if ok else f"\n# {why}"))


result({f[0] for f in forms} == set(rules), f"{len(rules)} rules have sentences", sorted({f[0] for f in forms} ^ set(rules)))
for rule, form, sentence in forms:
    names = set(re.findall(r"{(\w+)(?:\|[\w ]+)?}", sentence))
    result(names <= given and sentence.count("{") == len(re.findall(r"{\w+(?:\|[\w ]+)?}", sentence)), f"{rule} {form}: all that it names is given", sorted(names - given))
    result(f"AN_FORM_{rule}_{form}" in code, f"{rule} {form}: is told by a rule", "nothing in rule_*.c names it")
print(f"1..{n}")
sys.exit(failed != 0)
