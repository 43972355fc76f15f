#!/usr/bin/env python3
"""Puts the page's files into the program: embed.py OUT.S OUT.c FILE...

OUT.S has the bytes of each file and of its gzip form (.incbin); OUT.c has ws_assets[], the table that serve/site.h
declares.  The gzip forms are written beside OUT.S.  index.html is served at "/", the others at "/" + their name.
"""
import gzip
import hashlib
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".png": "image/png",
    ".woff2": "font/woff2",
}


def main(out_s, out_c, files):
    asm = ["/* made by tools/embed.py */", "\t.section .rodata"]
    decls, rows = [], []
    for i, path in enumerate(files):
        name = os.path.basename(path)
        kind = TYPES.get(os.path.splitext(name)[1])
        if kind is None:
            sys.exit(f"embed.py: {name}: no media type for this ending")
        data = open(path, "rb").read()
        if not data:
            sys.exit(f"embed.py: {path} is empty")
        gz_path = os.path.join(os.path.dirname(out_s), name + ".gz")
        gz = gzip.compress(data, 9, mtime=0)
        with open(gz_path, "wb") as f:
            f.write(gz)
        for symbol, source in ((f"ws_asset_{i}", path), (f"ws_asset_{i}_gz", gz_path)):
            asm += ["\t.balign 16", f"\t.globl {symbol}, {symbol}_end", f"\t.hidden {symbol}, {symbol}_end",
                    f"{symbol}:", f'\t.incbin "{os.path.abspath(source)}"', f"{symbol}_end:"]
            decls.append(f"extern const uint8_t {symbol}[], {symbol}_end[];")
        tag = hashlib.sha256(data).hexdigest()[:16]
        rows.append(f'\t{{ "/{"" if name == "index.html" else name}", "{name}", "{kind}", "\\"{tag}\\"", "\\"{tag}-gz\\"", '
                    f"ws_asset_{i}, ws_asset_{i}_end, ws_asset_{i}_gz, ws_asset_{i}_gz_end }},")
    asm += ['\t.section .note.GNU-stack, "", %progbits']
    with open(out_s, "w") as f:
        f.write("\n".join(asm) + "\n")
    with open(out_c, "w") as f:
        f.write('/* made by tools/embed.py */\n#include "serve/site.h"\n\n' + "\n".join(decls)
                + "\n\nconst ws_asset ws_assets[] = {\n" + "\n".join(rows) + "\n\t{ 0 },\n};\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
