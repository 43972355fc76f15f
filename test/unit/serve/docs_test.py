"""docs/server.md and src/serve/api.def name the same questions with the same arguments: docs_test.py SOURCE-ROOT (TAP)."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
table = (root / "src/serve/api.def").read_text()
docs = (root / "docs/server.md").read_text()

wanted = {}
for name, path in re.findall(r'^API\((\w+), "([^"]+)"', table, re.M):
    args = re.findall(rf"^\s*ARG\({name},\s*\w+,\s*(\w+),\s*([01])", table, re.M)
    wanted[path] = {a: need == "1" for a, need in args}

told = {}
for path, query in re.findall(r"^\| `GET (/api/\w+)(?:\?([^`]*))?`", docs, re.M):
    told[path] = {a: "[" not in before for before, a in re.findall(r"(\[?)&?(\w+)=", query)}

cases = sorted(set(wanted) | set(told))
print(f"1..{len(cases)}")
bad = len(cases) < 9
for i, path in enumerate(cases, 1):
    same = wanted.get(path) == told.get(path)
    bad |= not same
    print(f"{'ok' if same else 'not ok'} {i} {path}")
    if not same:
        print(f"# api.def: {wanted.get(path)}\n# docs/server.md: {told.get(path)}")
sys.exit(bad)
