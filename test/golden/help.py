#!/usr/bin/env python3
"""Every command and every option of src/cli/commands.def stands in the help that `weft` prints.

    help.py WEFT COMMANDS.DEF
"""
import re
import subprocess
import sys

weft, table = sys.argv[1:]
text = re.sub(r"/\*.*?\*/", "", open(table).read(), flags=re.S)
options = dict(re.findall(r'^OPTION\((\w+),\s*"([^"]+)"', text, re.M))
commands = re.findall(r'^COMMAND\((\w+), "([^"]*)",[^\n]*\n((?:\s+HAS\([^\n]*\n)+)', text, re.M)
n = failed = 0


def result(ok, name):
    global n, failed
    n += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {n} {name}")


def help_of(*words):
    p = subprocess.run([weft, *words], capture_output=True, text=True, timeout=20)
    return p.stdout if p.returncode == 0 and not p.stderr else ""


types = dict(re.findall(r'^OPTION\((\w+),\s*"[^"]+",\s*(\w+),', text, re.M))
# What no option of a type takes.
BAD = {
    "NUMBER": ["", "-1", "1.5", "x", "0x10", "1e3", "7 ", " 7", "18446744073709551616", "9223372036854775808"],
    "TIME": ["", "-1", "x", "1.2.3s", "5e9", "300y", "99999999999999999999", "1h99999999999h"],
    "LENGTH": ["", "0", "0s", "0.0000000001s", "-5ms", "@5", "x", "99999999999999999999"],
    "CHOICE": ["", "none", "TEXT", "0"],
}


def refuses(command, option, value):
    """Wrong usage, in a line that names option and value, and one that says where help is."""
    p = subprocess.run([weft, *([command] if command else []), f"--{option}={value}", "nosuch"], capture_output=True, text=True, timeout=20)
    err = p.stderr.split("\n")
    return p.returncode == 2 and not p.stdout and f"-{option} " in err[0] and f"'{value}'" in err[0] and (not command or (len(err) == 3 and "weft help" in err[1]))


def check_values():
    tried = set()
    for id, name, has in commands:
        for o in re.findall(r"HAS\((\w+)\)", has):
            bad = BAD.get(types.get(o), [])
            bad = bad if o not in tried else bad[:1]  # each value once, and each command once
            tried.add(o)
            wrong = [v for v in bad if not refuses(name, options[o], v)]
            if bad:
                result(not wrong, f"weft {name or '(no command)'} --{options[o]}: {len(bad)} values refused" + (f", but not {wrong}" if wrong else ""))


result(len(options) >= 20 and len(commands) == text.count("\nCOMMAND("), f"{len(options)} options and {len(commands)} commands in the table")
everything = help_of("--help")
for id, name, has in commands:
    mine = [options[o] for o in re.findall(r"HAS\((\w+)\)", has) if o != "NONE"] + ["help"]
    shown = help_of(name, "--help") if name else everything
    lines = {m.group(1) for m in re.finditer(r"^  --?([\w-]+)", shown, re.M)}
    result(lines == set(mine), f"weft {name or '(no command)'} --help has {len(mine)} options" + ("" if lines == set(mine) else f": {sorted(lines ^ set(mine))}"))
    if name:
        result(re.search(rf"^  {name} +\S", everything, re.M) is not None, f"weft --help names {name}")
        result(help_of("help", name) == shown != "", f"weft help {name} is the same")
check_values()
print(f"1..{n}")
sys.exit(failed != 0)
