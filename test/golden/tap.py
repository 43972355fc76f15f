"""Runs a file's functions named test_..., each in an empty folder if it takes one, and prints TAP."""
import inspect
import pathlib
import subprocess
import tempfile

WHAT_FAILS = (AssertionError, subprocess.TimeoutExpired, ValueError, KeyError)


def run(names, only=()):
    """names: the file's globals(). only: names without test_, all of them when empty. True: something failed."""
    tests = [(k[5:], f) for k, f in names.items() if k.startswith("test_") and (not only or k[5:] in only)]
    print(f"1..{len(tests)}")
    failed = 0
    for i, (name, f) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as tmp:
            try:
                f(pathlib.Path(tmp)) if inspect.signature(f).parameters else f()
                print(f"ok {i} {name}", flush=True)
            except WHAT_FAILS as e:
                failed += 1
                print(f"not ok {i} {name}\n# {type(e).__name__} " + str(e)[:900].replace("\n", "\n# "), flush=True)
    return failed != 0
