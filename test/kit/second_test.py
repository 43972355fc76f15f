"""The second validator (second.h) refuses whatever libwtr refuses: the hand-written traces of test/wire, and mutants of a sound trace.

usage: second_test.py WEFT SECOND WIRE-DIR TRACED

It may be stricter: it wants each generation to say everything. So what is compared is one way only; TRACED (test/rt/traced.c) makes the
trace that the mutants are of, which both must take. WEFT_SEED=N repeats. TAP.
"""
import glob
import os
import random
import subprocess
import sys
import tempfile

WEFT, SECOND, WIRE, TRACED = sys.argv[1:5]
MUTANTS = 150


def status(*args):
    return subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60).returncode


def assemble(lines, path):
    with open(path + ".txt", "w") as f:
        f.write("\n".join(lines) + "\n")
    with open(path, "wb") as out:
        return subprocess.run([WEFT, "assemble", path + ".txt"], stdout=out, stderr=subprocess.DEVNULL).returncode == 0


def as_text(path):
    return subprocess.run([WEFT, "dump", path], capture_output=True, text=True, check=True).stdout.splitlines()


def wire(folder):
    """Those of version 26 that must be refused: their files say so, and Go agrees (test/interop)."""
    n, missed = 0, []
    for name in sorted(glob.glob(os.path.join(WIRE, "*.trace.txt"))):
        with open(name) as f:
            text = f.read()
        expected, trace = text.split("-- trace --\n", 1)
        lines = trace.splitlines()
        path = os.path.join(folder, "wire")
        if lines[0] != "Trace Go1.26" or "\nerror " not in expected or not assemble(lines, path):
            continue
        n += 1
        if status(SECOND, path) == 0:
            missed.append(os.path.basename(name))
    return n, missed


def without_sizes(line):
    """A batch is as long as it is."""
    return " ".join(word for word in line.split(" ") if not word.startswith("size=")) if line.startswith("EventBatch") else line


def mutant(lines, chosen):
    """An event left out, doubled, exchanged with the next one, or with another number in it."""
    lines = list(lines)
    i = chosen.choice([k for k, line in enumerate(lines[:-1]) if " dt=" in line])
    how = chosen.randrange(4)
    if how == 0:
        del lines[i]
    elif how == 1:
        lines.insert(i, lines[i])
    elif how == 2:
        lines[i], lines[i + 1] = lines[i + 1], lines[i]
    else:
        words = lines[i].split(" ")
        k = chosen.randrange(1, len(words))
        name, _, value = words[k].partition("=")
        if value.isdigit():
            words[k] = f"{name}={int(value) + chosen.choice([-1, 1, 7]) if int(value) else 1}"
        lines[i] = " ".join(words)
    return how, lines


def mutants(folder, chosen):
    sound = os.path.join(folder, "sound")
    env = dict(os.environ, WEFT_TRACE=sound, WEFT_PROCS="2", WEFT_DEBUG="hard=1")
    subprocess.run([TRACED, "busy", "0"], env=env, check=True, stdout=subprocess.DEVNULL)
    lines = [without_sizes(line) for line in as_text(sound)]
    path = os.path.join(folder, "mutant")
    if status(SECOND, sound) or status(WEFT, "check", sound) or not assemble(lines, path) or status(SECOND, path):
        return 0, ["the trace that was to be changed is not sound"]
    n, missed = 0, []
    for _ in range(MUTANTS):
        how, changed = mutant(lines, chosen)
        if not assemble(changed, path) or status(WEFT, "check", path) == 0:
            continue
        n += 1
        if status(SECOND, path) == 0:
            missed.append("".join(f"{a!r} became {b!r}" for a, b in zip(lines, changed) if a != b)[:300] + f" ({how})")
    return n, missed


def main():
    seed = int(os.environ.get("WEFT_SEED") or random.randrange(1, 1 << 31))
    print(f"1..2\n# WEFT_SEED={seed}")
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        for i, (what, (n, missed), least) in enumerate((("hand-written traces", wire(folder), 20),
                                                        ("mutants", mutants(folder, random.Random(seed)), MUTANTS // 4)), 1):
            good = not missed and n >= least
            bad = bad or not good
            print(f"{'ok' if good else 'not ok'} {i} - {what}: refuses {n - len(missed)} of {n} that must be refused")
            for line in missed[:20]:
                print("# takes " + line)
    return bad


if __name__ == "__main__":
    sys.exit(main())
