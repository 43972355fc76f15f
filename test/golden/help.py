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
print(f"1..{n}")
sys.exit(failed != 0)
