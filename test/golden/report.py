#!/usr/bin/env python3
"""`weft report`: that the page is whole, loads nothing, and lets no text of a trace be markup.  Prints TAP.

    report.py WEFT CORPUS
"""
import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import tap

WEFT, CORPUS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
NAMES = ["go1.26-httpload", "go1.21-httpload", "go1.26-annotate", "go1.25-annotate", "go1.23-gcheavy", "go1.26-cpuprof", "go1.26-hello",
         "go1.27-longrun-cut70"]
VOID = {"meta", "tr", "th", "td", "polygon", "polyline", "br"}  # tr, th and td end with what follows them


def weft(*words, status=0):
    p = subprocess.run([WEFT, *map(str, words)], capture_output=True, timeout=120)
    assert p.returncode == status, f"{words}: {p.returncode}: {p.stderr.decode()[:300]}"
    return p.stdout.decode()


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.text, self.tags, self.links, self.ids, self.boxes = [], [], [], [], set(), []
        self.graphs = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        for k in ("src", "href", "action", "data", "xlink:href"):
            if k in attrs:
                self.links.append(attrs[k])
        for k in attrs:
            assert not k.startswith("on"), f"<{tag} {k}>"
        if "id" in attrs:
            self.ids.add(attrs["id"])
        if attrs.get("class") == "flame":
            self.graphs.append([])
        if "data-n" in attrs:
            style = dict(x.split(":") for x in attrs["style"].split(";"))
            self.graphs[-1].append((int(style["top"][:-2]) // 18, float(style["left"][:-1]), float(style["width"][:-1]), attrs["data-n"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def page(name, *words):
    return Page(weft("report", *words, CORPUS / f"{name}.trace"))


def test_pages_are_whole_and_load_nothing():
    for name in NAMES:
        p = page(name)
        assert p.tags.count("script") == 1 and p.tags.count("style") == 1
        assert p.links and all(x.startswith("#") and x[1:] in p.ids for x in p.links), p.links
        assert not {"img", "link", "iframe", "object", "form"} & set(p.tags)


def test_texts_are_no_markup():
    text = weft("report", CORPUS / "go1.26-annotate.trace")
    assert "<tag>" not in text and "&lt;tag&gt;" in text
    assert "<tag>" in "".join(Page(text).text)


def test_what_is_in_it_is_what_other_commands_say():
    for name in NAMES[:5]:
        path, text = CORPUS / f"{name}.trace", "".join(page(name).text)
        for g in json.loads(weft("goroutines", "--json", "--group-by=start", path))["groups"][:20]:
            assert g["name"] in text, (name, g["name"])
        findings = json.loads(weft("findings", "--json", path))["findings"]
        assert all(str(f["severity"]) in text for f in findings)
        for t in json.loads(weft("tasks", "--json", path))["types"]:
            assert t["name"] in text, (name, t["name"])


def test_flame_graphs_nest_and_are_the_profile():
    for name in NAMES[:6]:
        p = page(name)
        assert p.graphs, name
        for boxes in p.graphs:
            assert boxes[0][:3] == (0, 0.0, 100.0) and sum(b[0] == 0 for b in boxes) == 1
            for row, left, width, _ in boxes[1:]:
                assert any(r == row - 1 and x <= left + 0.001 and x + w >= left + width - 0.001 for r, x, w, _ in boxes), (name, row, left, width)
            for row in range(1, max(b[0] for b in boxes) + 1):
                at = sorted(b[1:3] for b in boxes if b[0] == row)
                assert all(a[0] + a[1] <= b[0] + 0.001 for a, b in zip(at, at[1:])), (name, row)
        sched = json.loads(weft("profile", "sched", "--json", CORPUS / f"{name}.trace"))
        if not sched["stacks"]:
            continue
        outer = {}
        for s in sched["stacks"]:
            f = s["stack"][-1]["func"] if s["stack"] else "(no stack)"
            outer[f] = outer.get(f, 0) + s["ns"]
        most = max(outer, key=outer.get)
        want = 100 * outer[most] / sched["ns"]
        assert any(b[0] == 1 and b[3] == (most or "(not known)") and abs(b[2] - want) < 0.01 for g in p.graphs for b in g), (name, most, want)


def test_ranges_and_files():
    with tempfile.TemporaryDirectory() as tmp:
        out = pathlib.Path(tmp) / "r.html"
        path = CORPUS / "go1.26-httpload.trace"
        weft("report", path, "-o", out, "--range=1ms..5ms")
        text = out.read_text()
        assert "only 0.001000000 to 0.005000000" in text and re.search(r"<dd>4ms<", text)
        assert str(CORPUS.resolve().parent) not in text
        weft("report", CORPUS / "bad-text.trace", "-o", pathlib.Path(tmp) / "no.html", status=3)
        weft("report", path, "-o", pathlib.Path(tmp) / "no.html", "--range=5s..6s", status=2)
        assert [p.name for p in pathlib.Path(tmp).iterdir()] == ["r.html"]


def test_a_filter_narrows_every_section():
    path = CORPUS / "go1.26-annotate.trace"
    whole, mine = weft("report", path), weft("report", "--filter=fn:main.main", path)
    assert "only what matches fn:main.main" in mine and "only what matches" not in whole
    assert "main.order.func1.1" in whole and "main.order.func1.1" not in mine
    assert len(mine) < len(whole)
    weft("report", "--filter=task:nothing", path)
    weft("report", "--filter=nothing:1", path, status=2)
    weft("report", "--filter=state:runnable", "--range=0s..1ms", path)


sys.exit(tap.run(globals()))
