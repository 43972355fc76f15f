#!/usr/bin/env python3
"""`weft -d=parsed` on every trace of the corpus: the SHA-256 of its output, and whether it fails, are those of Go 1.27.

    parsed.py WEFT CORPUS
"""
import hashlib
import json
import pathlib
import subprocess
import sys

weft, corpus = sys.argv[1:]
n = failed = 0
for path in sorted(pathlib.Path(corpus).glob("*.truth.json")):
    truth = json.loads(path.read_text())
    trace = path.with_name(truth["trace"])
    reader = truth["reader"]
    fails = bool(reader["open_error"] or reader["read_error"])
    want = truth.get("dump_sha256") or hashlib.sha256().hexdigest()
    p = subprocess.run([weft, "-d=parsed", str(trace)], capture_output=True, timeout=60)
    ok = hashlib.sha256(p.stdout).hexdigest() == want and p.returncode == fails and bool(p.stderr) == fails
    n += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {n} {trace.name}")
    if not ok:
        print(f"# exit status {p.returncode}, {len(p.stdout)} bytes, {p.stderr[:200]!r}; Go: {reader}")
print(f"1..{n}")
sys.exit(failed != 0 or n < 200)
