#!/usr/bin/env python3
"""gdb's backtrace inside a context and of a parked one: every function, and an end at the bottom.  Prints TAP.

    gdb_test.py GDB PROGRAM    (the program is parked.c)
"""
import re
import subprocess
import sys

GDB, PROGRAM = sys.argv[1:]
SCRIPT = r"""
set confirm off
set debuginfod enabled off
break stop_here
run
echo == running\n
backtrace
continue
echo == main\n
backtrace
echo == parked\n
set $c = &parked
set $rsp = (char *)$c->sp + 128
set $rbp = $c->fp
set $pc = $c->pc
backtrace
echo == argument\n
frame function parked_middle
print keep
"""

WANTED = {  # functions, innermost first
    "running": ["stop_here", "running_inner", "running_outer", "weft__ctx_entry"],
    "main": ["stop_here", "main"],
    "parked": ["weft__ctx_switch", "parked_inner", "parked_middle", "parked_outer", "weft__ctx_entry"],
}


def frames(text):
    """The names of a backtrace.  Inlined ones come as frames of their own; the switch's inner half is no news."""
    names = re.findall(r"^#\d+\s+(?:0x[0-9a-f]+ in )?([\w.]+) \(", text, re.M)
    return [n for n in names if n != "weft__ctx_jump"]


command = [GDB, "--batch", "--nx"]
for line in SCRIPT.strip().splitlines():
    command += ["-ex", line]
run = subprocess.run(command + [PROGRAM], capture_output=True, text=True, timeout=100)
parts = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== |\Z)", run.stdout, re.M | re.S))

print(f"1..{len(WANTED) + 1}")
good = 0
for number, (name, wanted) in enumerate(WANTED.items(), 1):
    text = parts.get(name, "")
    fine = frames(text) == wanted and "Backtrace stopped" not in text and "corrupt" not in text
    good += fine
    print(f"{'ok' if fine else 'not ok'} {number} - backtrace: {name}")
    if not fine:
        print(f"# wanted {wanted}, got {frames(text)}")
        print("# " + (text or run.stdout + run.stderr).replace("\n", "\n# "))
fine = "$1 = 41" in run.stdout
good += fine
print(f"{'ok' if fine else 'not ok'} {len(WANTED) + 1} - an argument of a parked function is read")
sys.exit(good != len(WANTED) + 1)
