#!/usr/bin/env python3
"""Does check_layers.py catch what it is for?  Each case is a small tree with one fault, or none.  Prints TAP."""
import pathlib
import subprocess
import sys
import tempfile

CHECKER = sys.argv[1]
LAYERS = "base:\nfmt: base\nrt: fmt base weft\nread: fmt base wtr\n"
SUB = "ctx: base\ntr: ctx fmt base\napi: tr ctx fmt base weft\n"
WEB = "base:\nmodel: base\nui: model base\n"
GOOD = {
    "LAYERS": LAYERS,
    "include/wtr/open.h": "#include <stdint.h>\n#include <wtr/error.h>\n",
    "src/base/arena.c": '#include <stddef.h>\n#include "base/arena.h"\n',
    "src/read/order.c": '#include <wtr/event.h>\n#include "base/arena.h"\n#include "fmt/events.def"\n',
    "src/rt/LAYERS": SUB,
    "src/rt/ctx/ctx.S": '#include "base/arena.h"\n',
    "src/rt/tr/tr.c": '#include "rt/tr/tr.h"\n#include "rt/ctx/ctx.h"\n#include "fmt/events.h"\n',
    "src/rt/api/go.c": '#include <weft/go.h>\n#include "rt/tr/tr.h"\n',
    "web/LAYERS": WEB,
    "web/src/main.ts": "import { a } from './ui/panel';\n",
    "web/src/ui/panel.ts": "import { b } from '../model/view';\nimport './panel.css';\n",
    "web/src/model/view.ts": "import type { c } from '../base/time';\n",
}

CASES = [  # name, what differs from GOOD, what the checker must say (None: nothing)
    ("a tree that keeps the rules", {}, None),
    ("a floor that looks up", {"src/fmt/x.c": '#include "read/order.h"\n'}, "src/fmt/x.c:1: fmt may not include read/order.h"),
    ("a floor that looks sideways", {"src/base/x.h": '\n#include "fmt/events.h"\n'}, "src/base/x.h:2: base may not include"),
    ("a public header where it is not allowed", {"src/fmt/x.c": "#include <wtr/error.h>\n"}, "fmt may not include wtr/error.h"),
    ("a relative include", {"src/read/x.c": '#include "order.h"\n'}, "is relative"),
    ("a project header in angle brackets", {"src/read/x.c": "#include <base/arena.h>\n"}, "write \"base/arena.h\""),
    ("an unknown floor", {"src/misc/x.c": "\n"}, "no floor named misc"),
    ("a public header that shows the inside", {"include/wtr/open.h": '#include "base/arena.h"\n'}, "include/wtr/open.h:1: a public header"),
    ("a public header of the other library", {"include/weft/go.h": "#include <wtr/error.h>\n"}, "include/weft/go.h:1: a public header"),
    ("public headers of libc and of the same library", {"include/weft/net.h": "#include <sys/uio.h>\n#include <weft/go.h>\n"}, None),
    ("a circle in LAYERS", {"LAYERS": "base: read\nfmt: base\nread: fmt base\n"}, "base may not see read"),
    ("a sub-floor that looks up", {"src/rt/ctx/x.h": '#include "rt/tr/tr.h"\n'}, "src/rt/ctx/x.h:1: rt/ctx may not include rt/tr/tr.h"),
    ("a sub-floor that looks down too far", {"src/rt/ctx/x.c": '#include "fmt/events.h"\n'}, "rt/ctx may not include fmt/events.h"),
    ("a sub-floor that includes public headers", {"src/rt/tr/x.c": "#include <weft/go.h>\n"}, "rt/tr may not include weft/go.h"),
    ("a floor that includes the runtime", {"src/read/x.c": '#include "rt/tr/tr.h"\n'}, "read may not include rt/tr/tr.h"),
    ("an unknown sub-floor", {"src/rt/misc/x.c": "\n"}, "no floor named misc in src/rt/LAYERS"),
    ("a file beside the sub-floors", {"src/rt/x.c": "\n"}, "no floor named x.c in src/rt/LAYERS"),
    ("sub-floors that get more than the whole", {"src/rt/LAYERS": "ctx: read\n"}, "ctx names an unknown floor read"),
    ("a public header of the other library", {"include/wtr/open.h": "#include <weft/go.h>\n"}, "only libc and <wtr/...>"),
    ("a page module that looks up", {"web/src/base/time.ts": "import { p } from '../ui/panel';\n"}, "web/src/base/time.ts:1: base may not import"),
    ("a page module that loads another one late", {"web/src/model/view.ts": "const p = await import('../ui/panel');\n"}, "model may not import"),
    ("an import from outside the page", {"web/src/ui/panel.ts": "import x from '../../../src/fmt/x';\n"}, "outside web/src"),
]


def run(changes):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**GOOD, **changes}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        p = subprocess.run([sys.executable, CHECKER, folder], capture_output=True, text=True)
        return p.returncode, p.stdout + p.stderr


print(f"1..{len(CASES)}")
bad = 0
for number, (name, changes, want) in enumerate(CASES, 1):
    status, text = run(changes)
    good = status == 0 if want is None else status == 1 and want in text
    bad += not good
    print(f"{'ok' if good else 'not ok'} {number} {name}")
    if not good:
        print(f"# wanted {want!r}, got status {status}: {text!r}")
sys.exit(bad != 0)
