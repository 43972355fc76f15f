#!/usr/bin/env python3
"""Fails when a document or a comment names a file of the project that is not there.

    check_docs.py [ROOT]

Looked at: links of Markdown files, and paths such as docs/server.md, src/fmt/events.def or test/wire in Markdown, C, tables,
Python, TypeScript, build files and scripts.
"""
import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
PATH = re.compile(r"(?<![\w./$<-])((?:docs|src|test|tools|bench|web|include)/[\w./-]*\w)(?![\w*{$<]|/[*{$<])")
KINDS = {".md", ".c", ".h", ".def", ".py", ".ts", ".tsx", ".mjs", ".sh", ".build"}
# A name that stands for any, and places that are made by the build.
PLACEHOLDER = re.compile(r"NAME|FOLDER|FILE|TARGET|/\.\.|web/dist|web/node_modules|test/data/corpus")


def exists(root, path):
    return (root / path).exists() or (root / "src" / path).exists() or any(root.glob(path + ".*"))


def main(root):
    files = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    faults, looked = [], 0
    for name in files:
        path = root / name
        if not (path.suffix in KINDS or name in ("dev", "LAYERS", "meson.build")) or name.startswith(("test/data/programs/", "test/tidy/")) or not path.is_file():
            continue
        looked += 1
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if path.suffix == ".md":
                for target in LINK.findall(line):
                    if not (path.parent / target).exists():
                        faults.append(f"{name}:{number}: the link {target} leads nowhere")
            if path.suffix in (".md", ".h", ".def") or re.search(r"(/\*|^\s*\*|//|#)", line):
                for target in PATH.findall(line):
                    if not PLACEHOLDER.search(target) and not exists(root, target) and not exists(path.parent, target):
                        faults.append(f"{name}:{number}: there is no {target}")
    for f in faults:
        print(f)
    print(f"{looked} files, {len(faults)} faults")
    return 1 if faults or not looked else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
