"""Whatever becomes of a trace, what was written stays readable, the program goes on, and somebody is told.

usage: outputs.py TRACED WEFT SECOND

TRACED is test/rt/traced.c, SECOND the second validator (test/kit/second.h).  TAP.
"""
import errno
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

TRACED, WEFT, SECOND = sys.argv[1:4]
FOLDER = tempfile.TemporaryDirectory()
END_OF_GENERATION = 52
HEADER = 16 # bytes


def path(name):
    return os.path.join(FOLDER.name, name)


def expect(good, what):
    if not good:
        raise AssertionError(what)


def run(*args, **kwargs):
    return subprocess.run(args, capture_output=True, text=True, timeout=100, **kwargs)


def traced(how, ms, trace=None, **kwargs):
    env = dict(os.environ, WEFT_PROCS="2")
    # A child that ends looks for leaks on its own, cannot stop its parent's threads, and says so.
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    if trace:
        env["WEFT_TRACE"] = trace
    return run(TRACED, how, str(ms), env=env, **kwargs)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def whole_part(data):
    """The bytes up to the end of the last generation that is whole, and how many there are."""
    at, end, n = HEADER, 0, 0
    try:
        while at < len(data):
            if data[at] == END_OF_GENERATION:
                at += 1
                end, n = at, n + 1
                continue
            at += 1
            for _ in range(3):
                _, at = varint(data, at)
            size, at = varint(data, at)
            at += size
    except IndexError:
        pass
    return data[:end], n


def check_sound(name):
    done = run(WEFT, "check", name)
    expect(done.returncode == 0, f"weft check: {done.stdout}")
    done = run(SECOND, name)
    expect(done.returncode == 0, f"second validator: {done.stdout}")


def check_rest(name, generations):
    """A trace that broke off: told by weft check, good up to its last generation, and repaired."""
    with open(name, "rb") as f:
        data = f.read()
    whole, n = whole_part(data)
    expect(n >= generations, f"{n} whole generations of {len(data)} bytes, not {generations} at least")
    # A header alone is a trace without generations: sound, for Go's reader, too.
    if len(whole) < len(data) and len(data) > HEADER:
        expect(run(WEFT, "check", name).returncode == 1, "weft check takes a trace that broke off for sound")
    if n == 0:
        return
    with open(name + ".whole", "wb") as f:
        f.write(whole)
    check_sound(name + ".whole")
    done = run(WEFT, "repair", name, name + ".repaired")
    expect(done.returncode == 0, f"weft repair: {done.stderr}")
    expect(run(WEFT, "check", name + ".repaired").returncode == 0, "a repaired trace is not sound")


def check_told(done, error):
    expect(done.returncode == 0 and done.stdout == "done\n", f"the program did not go on: {done}")
    expect("the trace is not whole: " + os.strerror(error) in done.stderr, f"it says {done.stderr!r}")


def killed():
    """SIGKILL in the middle"""
    trace = path("killed")
    p = subprocess.Popen([TRACED, "busy", "100000"], env=dict(os.environ, WEFT_TRACE=trace))
    deadline = time.time() + 60
    n = 0
    while n < 2 and time.time() < deadline:
        time.sleep(0.3)
        with open(trace, "rb") as f:
            n = whole_part(f.read())[1]
    p.send_signal(signal.SIGKILL)
    expect(p.wait() == -signal.SIGKILL, "it was not killed")
    check_rest(trace, 2)


def limited():
    """a limit of the file's size (RLIMIT_FSIZE), with SIGXFSZ as it comes"""
    trace = path("limited")
    limit = 64 << 20 # a few generations
    done = traced("busy", 3000, trace, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    if os.path.getsize(trace) < limit:
        return f"# SKIP too slow a machine to write {limit} bytes in 3 seconds"
    check_told(done, errno.EFBIG)
    check_rest(trace, 1)


def full():
    """a full disk: /dev/full"""
    check_told(traced("busy", 300, "/dev/full"), errno.ENOSPC)


def closed():
    """a pipe that nobody reads any more"""
    trace = path("fifo")
    os.mkfifo(trace)
    taken = bytearray()

    def read_a_little():
        with open(trace, "rb", buffering=0) as f:
            taken.extend(f.read(1000))

    reader = threading.Thread(target=read_a_little)
    reader.start()
    done = traced("busy", 2500, trace)
    reader.join()
    check_told(done, errno.EPIPE)
    expect(taken.startswith(b"go 1.26 trace"), "what was read is no trace")


def read_slowly(fd, ret, pause):
    while piece := os.read(fd, 1 << 20):
        ret.extend(piece)
        time.sleep(pause)


def own(ms, reader):
    """The program writes to a pipe, and what it says about stopping."""
    r, w = os.pipe()
    p = subprocess.Popen([TRACED, "own", str(ms)], stdout=w, stderr=subprocess.PIPE, text=True)
    os.close(w)
    try:
        reader(r, p)
        said = p.stderr.read()
        expect(p.wait(60) == 0, "the program did not go on")
    finally:
        p.kill()
        os.close(r)
    return said


def slow():
    """a slow reader: nothing is lost"""
    for _ in range(3): # where the reader gets no processor for a second, the trace is given up, and rightly so
        data = bytearray()
        said = own(1000, lambda fd, _: read_slowly(fd, data, 0.001))
        if said == "stop: 0\n":
            break
    expect(said == "stop: 0\n", said)
    with open(path("slow"), "wb") as f:
        f.write(data)
    check_sound(path("slow"))


def stuck():
    """a reader that stands still for ever: the trace ends, the program goes on, and stopping does not wait for it"""
    data = bytearray()

    def read_at_the_end(fd, p):
        # A machine too slow to fill all buffers in this time waits with the last bytes: then they are read.
        try:
            p.wait(20)
        except subprocess.TimeoutExpired:
            pass
        read_slowly(fd, data, 0)

    said = own(5000, read_at_the_end)
    expect(said in (f"stop: {-errno.ENOBUFS}\n", "stop: 0\n"), said)
    if said == "stop: 0\n":
        return "# SKIP too slow a machine to fill all buffers"
    with open(path("stuck"), "wb") as f:
        f.write(data)
    check_rest(path("stuck"), 0)


def forked():
    """children that are forked while a trace runs"""
    for window in ("", ",window=10s"):
        done = traced("fork", 300, path("forked") + window)
        expect(done.returncode == 0 and done.stdout == "done\n" and not done.stderr, str(done))
        check_sound(path("forked"))


TESTS = [killed, limited, full, closed, slow, stuck, forked]


def main():
    print(f"1..{len(TESTS)}")
    bad = 0
    for i, test in enumerate(TESTS, 1):
        try:
            why, note = None, test() or ""
        except (AssertionError, OSError, subprocess.SubprocessError) as e:
            why, note = str(e) or repr(e), ""
        print(f"{'not ok' if why else 'ok'} {i} - {test.__doc__} {note}".rstrip())
        if why:
            bad += 1
            print("\n".join("# " + line for line in why.splitlines()[:20]))
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
