#!/usr/bin/env python3
"""Opens a real Go trace in the viewer: prints what is in it and where the viewer listens, and stays until Ctrl-C.

    demo.py [--check] [TRACE]

--check loads the page in headless Chromium instead, saves a screenshot as build/demo.png, verifies that spans were drawn,
and ends: status 0 if they were.
"""
import json
import pathlib
import re
import signal
import struct
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEFT = ROOT / "build/weft"
TRACE = ROOT / "test/data/traces/go1.26-httpload.trace.zst"
SHOT = ROOT / "build/demo.png"
COLOURED_MIN = 2000  # pixels of strong colour; an empty page has a few hundred in its legend


def png_rows(data):
    """The rows of an 8-bit RGB or RGBA PNG without interlacing, as Chromium writes it: (bytes per pixel, rows)."""
    at, packed, width, kind = 8, b"", 0, 0
    while at < len(data):
        n, name = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + n]
        if name == b"IHDR":
            width, _, depth, kind = struct.unpack(">IIBB", body[:10])
            assert depth == 8 and kind in (2, 6), "unexpected kind of PNG"
        elif name == b"IDAT":
            packed += body
        at += 12 + n
    bpp = 3 if kind == 2 else 4
    raw, stride, rows, old = zlib.decompress(packed), width * bpp, [], bytearray(width * bpp)
    for y in range(len(raw) // (stride + 1)):
        how, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            left = row[i - bpp] if i >= bpp else 0
            up, corner = old[i], old[i - bpp] if i >= bpp else 0
            if how == 1:
                row[i] = (row[i] + left) & 255
            elif how == 2:
                row[i] = (row[i] + up) & 255
            elif how == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            elif how == 4:
                guess = left + up - corner
                a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
                row[i] = (row[i] + (left if a <= b and a <= c else up if b <= c else corner)) & 255
        rows.append(row)
        old = row
    return bpp, rows


def coloured(path):
    """How many pixels of a screenshot have a colour that is not near grey."""
    bpp, rows = png_rows(path.read_bytes())
    n = 0
    for row in rows:
        for i in range(0, len(row), bpp):
            rgb = row[i:i + 3]
            n += max(rgb) - min(rgb) > 60
    return n


def start(trace):
    """The viewer's process and its address."""
    server = subprocess.Popen([WEFT, "view", "--no-browser", str(trace)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in server.stdout:
        print(line, end="", flush=True)
        if m := re.search(r"listening on (http://\S+)", line):
            return server, m.group(1)
    sys.exit(f"demo: weft ended with status {server.wait()}")


def check(url):
    page = subprocess.run(["node", ROOT / "tools/page.mjs", SHOT], input=url + "\n", capture_output=True, text=True)
    answers = [json.loads(line) for line in page.stdout.splitlines() if line.startswith("{")]
    if page.returncode or len(answers) != 1:
        print(page.stderr)
        return "the browser did not get through"
    if answers[0]["errors"]:
        return "errors on the page: " + "; ".join(answers[0]["errors"])
    if answers[0]["drawn_unix_ms"] is None:
        return "the page never said that it had drawn the trace"
    n = coloured(SHOT)
    print(f"drawn {answers[0]['nav_ms']:.0f} ms after navigation; {n} coloured pixels; {SHOT}")
    return None if n >= COLOURED_MIN else f"only {n} coloured pixels: no spans"


def main(args):
    checking = "--check" in args
    files = [a for a in args if not a.startswith("--")]
    trace = pathlib.Path(files[0]) if files else TRACE
    print(subprocess.run([WEFT, "summary", str(trace)], capture_output=True, text=True, check=True).stdout)
    server, url = start(trace)
    try:
        if checking:
            fault = check(url)
            print(f"demo: {fault}" if fault else "demo: ok")
            return 1 if fault else 0
        print("Ctrl-C ends it.", flush=True)
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
