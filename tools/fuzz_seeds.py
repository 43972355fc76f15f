#!/usr/bin/env python3
"""Makes the seed corpora of the fuzz targets from the trace corpus, and a trace with libweft's carrier, which that lacks.

    fuzz_seeds.py CORPUS CARRIED OUT STAMP

OUT/v2, OUT/v1 and OUT/pack hold small traces behind one byte of options (see the targets), OUT/text small traces as they are and
hand-written texts, OUT/edit traces behind three bytes that say what is to be written of them, OUT/http and
OUT/head one request each, OUT/filter filters behind a byte that says about what.
"""
import pathlib
import shutil
import sys

SIZE_MAX = 10_000
HEADER = 16

TEXTS = {
    "empty": "",
    "v2": """Trace Go1.26
EventBatch gen=1 m=18446744073709551615 time=100
Sync
Frequency freq=15625000
ClockSnapshot dt=1 mono=99 sec=1740755049 nsec=123
EventBatch gen=1 m=7 time=110
ProcStatus dt=1 p=0 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
EndOfGeneration
""",
    "carrier": """Trace Go1.26
EventBatch gen=1 m=18446744073709551615 time=100
Sync
Frequency freq=15625000
ClockSnapshot dt=1 mono=99 sec=1740755049 nsec=123
EventBatch gen=1 m=7 time=110
ProcStatus dt=1 p=0 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
GoStatus dt=1 g=2 m=-1 gstatus=4
GoBlock dt=5 reason_string=1 stack=0
EventBatch gen=1 m=18446744073709551615 time=120
Strings
String id=1
\tdata="select"
String id=2
\tdata="\\x00weftw\\a\\x00\\x00\\x01\\x02\\x01\\x02\\x00\\x01\\x10\\x02\\x02\\x05\\x02\\x20\\x00\\x09"
String id=3
\tdata="\\x00weftf\\a\\x01\\x04\\x02\\x03a=b\\x05\\x02\\x03"
EndOfGeneration
""",
    "cut": "Trace Go1.22\nEventBatch gen=1 m=7 time=100 size=11\nGoCreate dt=5 new_g=7 new_stack=1 stack=2\nGoBlock dt=9 <cut>\n",
    "bytes": "Trace Go1.23\n# all of it odd\nEventBatch gen=1 m=-1 time=0x10/10 size=/10\nBytes 00ff10\nGoStop dt=11/10 reason_string=1 stack=0\n",
    "v1": "Trace Go1.21\nBatch p=0 ticks=1/3\nFrequency freq=1000000\n",
}

FILTERS = [
    "state:runnable dur:>10ms fn:net/http -fn:health g:1200..1300 task:\"checkout\" stack:~\"sync\\.\\(\\*Mutex\\)\" range:1.2s..1.4s waker:g17",
    "main.(*T).run", "(g:1|g:2) -fn:=main.work", "--g:7", "range:-5ms..", "1.2s..+5ms", "15:04:05.5..", "2026-11-24T15:04:05Z..@123",
    "dur:1ms..5ms", "p:<=3 m:>2", "kind:Log log:~^a.*b{2}$", "creator:main.main|waker:5", "fn:\"a \\\" b\"", "task:5 region:load",
]

HEADS = [
    "GET /debug/pprof/trace?seconds=5 HTTP/1.1\r\nHost: localhost:6060\r\nUser-Agent: x\r\nSec-Fetch-Site: none\r\n\r\n",
    "POST /debug/pprof/symbol HTTP/1.0\nContent-Length: 17\n\n0x401000+0x401020",
    "GET /debug/pprof/%67oroutine?debug=%32&x=+ HTTP/1.1\r\nHost: [::1]:6060\r\nOrigin: null\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "HEAD / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
]

HOST = "127.0.0.1:8080"
TARGETS = [
    "/", "/app.js", "/app.css", "/favicon.ico", "/api/info", "/api/lanes?group=0&from=0&n=10",
    "/api/tiles?zoom=10&i=0&lanes=p0,g1,gc,stw,G0,m1", "/api/tiles?zoom=50&i=-1&lanes=p0",
    "/api/span?lane=g1&t=100", "/api/step?lane=p0&t=0&dir=1", "/api/counts?t=0&step=1000&n=16&group=0",
    "/api/metrics?t=0&step=1000&n=16", "/api/search?q=main&n=20", "/api/told?q=a&g=1&from=0&to=9&n=2", "/api/rows?rows=0,1,2", "/api/progress",
    "/api/search?q=%6dain%00%zz&n=99999999999999999999", "/../../etc/passwd", "/api/info?x=1&x=2",
    "/api/tasks?filter=dur%3A%3E1ms&n=3", "/api/regions?range=..5ms", "/api/counters?t=0&step=1000&n=9", "/api/why?g=1&from=0&to=100000", "/api/requests?inferred=1", "/api/waits?t=5", "/api/waits?t=5&g=1", "/api/diff?a=..1ms&b=1ms..&filter=fn%3Amain&n=5", "/api/mmu?flags=15&per=1&window=1000", "/api/profile?kind=sched&range=1ms..2ms&filter=fn%3Amain&n=3",
]


def main(corpus, carried, out):
    shutil.rmtree(out, ignore_errors=True)
    for name in ("v1", "v2", "edit", "text", "http", "head", "pack", "filter"):
        (out / name).mkdir(parents=True)
    for path in [*sorted(corpus.glob("*.trace")), carried]:
        data = path.read_bytes()
        if len(data) > SIZE_MAX:
            continue
        version = int(data[5:7]) if data[:5] == b"go 1." and data[5:7].isdigit() else 0
        if version in (11, 19, 21):
            option = {11: 0x00, 19: 0x10, 21: 0x20}[version]
            (out / "v1" / path.stem).write_bytes(bytes([option]) + data[HEADER:])
            (out / "v1" / (path.stem + ".ask")).write_bytes(bytes([option | 0x48]) + data[HEADER:])
            (out / "v1" / (path.stem + ".repair")).write_bytes(bytes([option | 1]) + data[HEADER:])
        else:
            (out / "v2" / path.stem).write_bytes(b"\0" + data)
            (out / "v2" / (path.stem + ".ask")).write_bytes(b"\x48" + data)
            (out / "v2" / (path.stem + ".repair")).write_bytes(b"\1" + data)
        for head in (b"\1\0\0", b"\6\x40\xc0", b"\2\x80\0", b"\x1e\x20\xe0"):
            (out / "edit" / f"{path.stem}.{head[0]}").write_bytes(head + data)
        (out / "pack" / path.stem).write_bytes(b"\0" + data)
        if len(data) < 4000:
            (out / "text" / path.stem).write_bytes(data)
    for name, text in TEXTS.items():
        (out / "text" / ("text-" + name)).write_text(text)
    for i, text in enumerate(FILTERS):
        for about in range(5):
            (out / "filter" / f"{i:02}-{about}").write_bytes(bytes([about]) + text.encode())
    for i, text in enumerate(HEADS):
        (out / "head" / f"{i:02}").write_text(text, newline="")
    for i, target in enumerate(TARGETS):
        (out / "http" / f"{i:02}").write_text(f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")
    (out / "http" / "foreign").write_text(f"GET /api/info HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n")
    (out / "http" / "post").write_text(f"POST /api/info HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 3\r\n\r\nabc")


if __name__ == "__main__":
    traces, carried, seeds, stamp = map(pathlib.Path, sys.argv[1:])
    main(traces, carried, seeds)
    stamp.write_text("\n".join(sorted(str(p) for p in seeds.rglob("*"))) + "\n")
