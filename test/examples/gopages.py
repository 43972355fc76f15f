"""Go's own `go tool trace` opens traces of C programs: every page that it links to is fetched, and none is an error.

usage: gopages.py GO EXAMPLES-DIR

The programs have user tasks, regions, logs and blocking calls (httpd), and a collected heap (trees).  TAP.
"""
import html
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

GO, DIR = sys.argv[1:3]
PROGRAMS = {"httpd": [], "trees": ["9"]}
PAGES_MOST = 60
# What scripts of the pages ask for, and what draws a picture with a program that need not be here.
ASKED_BY_SCRIPTS = ["/jsontrace", "/mmuPlot?flags=stw|background|assist"]
PROFILES = ["/io", "/block", "/syscall", "/sched", "/regionblock", "/regionio", "/regionsyscall", "/regionsched"]


def fetch(base, path):
    """The status and the body."""
    try:
        with urllib.request.urlopen(base + path, timeout=60) as r:
            return r.status, r.read().decode(errors="replace")
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(errors="replace")


def links(page, body):
    for target in re.findall(r'href="([^"]+)"', body):
        url = urllib.parse.urljoin(page, html.unescape(target))
        parts = urllib.parse.urlsplit(url)
        if parts.scheme or not url.startswith("/") or parts.path.startswith("/static"):
            continue
        if parts.path in PROFILES: # as data instead of as a picture
            query = [q for q in (parts.query, "raw=1") if q]
            url = parts.path + "?" + "&".join(query)
        yield url.split("#")[0]


def crawl(base):
    """Yields (page, what is wrong with it or None)."""
    seen, todo = {"/"}, ["/"] + ASKED_BY_SCRIPTS
    kinds = {}
    while todo and len(seen) < PAGES_MOST:
        page = todo.pop(0)
        status, body = fetch(base, page)
        yield page, None if status == 200 and body else f"status {status}: {body.strip()[:300]}"
        for url in links(page, body):
            kind = urllib.parse.urlsplit(url).path
            # Some of each kind: a page for each goroutine and request would be thousands.
            if url not in seen and kinds.get(kind, 0) < 6:
                kinds[kind] = kinds.get(kind, 0) + 1
                seen.add(url)
                todo.append(url)


def problem(name, folder):
    trace = os.path.join(folder, name + ".trace")
    done = subprocess.run([os.path.join(DIR, name)] + PROGRAMS[name], env=dict(os.environ, WEFT_TRACE=trace, WEFT_PROCS="2"), capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        return f"status {done.returncode}: {done.stderr}", 0
    # A browser that does nothing: the tool opens one.
    tool = subprocess.Popen([GO, "tool", "trace", "-http=127.0.0.1:0", trace], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            env=dict(os.environ, BROWSER="true"), start_new_session=True)
    try:
        base = next((m.group(1) for line in tool.stderr if (m := re.search(r"listening on (http://\S+)", line))), None)
        if not base:
            return "go tool trace ended", 0
        found = list(crawl(base.rstrip("/")))
    finally:
        os.killpg(tool.pid, signal.SIGKILL) # the command `go` has the tool as its child
        tool.wait()
    bad = [f"{page}: {why}" for page, why in found if why]
    if name == "httpd" and not any(page.startswith("/usertask?") for page, _ in found):
        bad.append("no page is about a user task")
    return "\n".join(bad), len(found)


def main():
    print(f"1..{len(PROGRAMS)}")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for i, name in enumerate(PROGRAMS, 1):
            why, n = problem(name, folder)
            failed |= bool(why)
            print(f"{'not ok' if why else 'ok'} {i} - go tool trace: {n} pages about {name}", flush=True)
            for line in why.splitlines()[:20]:
                print("# " + line)
    return failed


if __name__ == "__main__":
    sys.exit(main())
