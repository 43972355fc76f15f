"""What the tests of the debug endpoint share: programs that serve one, and clients that are not nice."""
import os
import re
import socket
import subprocess
import time

n = failed = 0


def result(ok, name, why=""):
    global n, failed
    n += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {n} {name}", flush=True)
    if not ok and why != "":
        print("# " + str(why)[:2000].replace("\n", "\n# "), flush=True)
    return ok


def done():
    print(f"1..{n}")
    raise SystemExit(failed != 0)


class Program:
    """A running program whose first line of output says where it serves."""

    def __init__(self, *words, **env):
        self.p = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  env=dict(os.environ, **env))
        line = self.p.stdout.readline()
        found = re.search(r"http://([\w.\[\]:]+):(\d+)/debug/pprof/", line)
        if not found:
            self.p.kill()
            raise SystemExit(f"Bail out! {words}: {line!r} {self.p.stderr.read()}")
        self.host, self.port = found.group(1), int(found.group(2))
        self.at = f"{self.host}:{self.port}"
        self.base = f"http://{self.at}/debug/pprof/"

    def dial(self, timeout=30):
        return socket.create_connection((self.host.strip("[]"), self.port), timeout)

    def end(self):
        """(status, standard error); its input ends."""
        try:
            _, err = self.p.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return None, self.p.stderr.read()
        return self.p.returncode, err


class Answer:
    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        good = words[0] == "HTTP/1.1" and len(words) == 3 and not data.endswith((b"RESET", b"TIMEOUT"))
        self.status = int(words[1]) if good else 0
        self.headers = {k.lower(): v for k, _, v in (l.partition(": ") for l in lines[1:])}
        self.whole = True
        if self.headers.get("transfer-encoding") == "chunked":
            self.dechunk()

    def dechunk(self):
        rest, body = self.body, b""
        self.whole = False
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            k = int(size, 16)
            if k == 0:
                self.whole = rest == b"\r\n"
                break
            if len(rest) < k + 2:
                break
            body, rest = body + rest[:k], rest[k + 2:]
        self.body = body

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"


def read_all(s):
    """Everything until the other side closes; b'RESET' at the end when it does so rudely."""
    data = b""
    try:
        while more := s.recv(65536):
            data += more
    except ConnectionResetError:
        data += b"RESET"
    except socket.timeout:
        data += b"TIMEOUT"
    return data


def send(program, data):
    with program.dial() as s:
        s.sendall(data)
        return Answer(read_all(s))


def ask(program, target, method="GET", host=None, more="", version="1.1"):
    host = program.at if host is None else host
    return send(program, f"{method} {target} HTTP/{version}\r\nHost: {host}\r\n{more}\r\n".encode())


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    return condition()
