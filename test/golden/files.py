#!/usr/bin/env python3
"""Makes files of files with `weft` and looks at what came out.

    files.py WEFT CORPUS [NAME..]

NAME: only these tests.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys

import tap

WEFT, CORPUS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
TRACES = sorted(CORPUS.glob("*.trace"))


def weft(*words, status=0):
    env = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"}
    env.update({k: v for k, v in os.environ.items() if "SAN_OPTIONS" in k})
    p = subprocess.run([WEFT, *map(str, words)], capture_output=True, env=env, timeout=120)
    if status is not None and p.returncode != status:
        raise AssertionError(f"weft {' '.join(map(str, words))}: status {p.returncode}: {p.stderr.decode()[:300]}")
    return p


def no_others(tmp, *wanted):
    found = sorted(p.name for p in tmp.iterdir())
    assert found == sorted(wanted), f"files left behind: {found}"


def test_packed_traces_come_back(tmp):
    for path in TRACES:
        weft("pack", path, tmp / "p")
        weft("unpack", tmp / "p", tmp / "u")
        assert (tmp / "u").read_bytes() == path.read_bytes(), path
    no_others(tmp, "p", "u")


def test_packed_traces_are_read_directly(tmp):
    for path in TRACES[::5]:
        weft("pack", path, tmp / "p")
        for command in (["check", "--json"], ["events", "--format=go"], ["goroutines"], ["dump"]):
            plain, packed = (weft(*command, p, status=None) for p in (path, tmp / "p"))
            assert plain.returncode == packed.returncode, (command, path)
            a, b = plain.stdout, packed.stdout
            if command[0] == "check":
                a, b = json.loads(a), json.loads(b)
                for x in (a, b):
                    for key in ("file", "compression", "file_bytes"):
                        x.pop(key, None)
            assert a == b, (command, path)
    assert json.loads(weft("summary", "--json", tmp / "p").stdout)["compression"] == "packed"


def test_packed_by_several_threads_it_is_the_same(tmp):
    """Large enough for threads, with a tail that is no trace; on one processor there are none."""
    data = (CORPUS / "go1.26-httpload-gens.trace").read_bytes()
    (tmp / "t").write_bytes(data[:16] + data[16:] * (5_000_000 // len(data)) + b"\xff" * 700_000)
    weft("pack", tmp / "t", tmp / "p")
    weft("unpack", tmp / "p", tmp / "u")
    assert (tmp / "u").read_bytes() == (tmp / "t").read_bytes()
    processors = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, [min(processors)])
        weft("pack", tmp / "t", tmp / "one")
    finally:
        os.sched_setaffinity(0, processors)
    assert (tmp / "one").read_bytes() == (tmp / "p").read_bytes()
    no_others(tmp, "one", "p", "t", "u")


def test_a_torn_packed_trace_is_refused_by_unpack_and_leaves_nothing(tmp):
    weft("pack", CORPUS / "go1.26-locks.trace", tmp / "p")
    data = (tmp / "p").read_bytes()
    (tmp / "p").write_bytes(data[: len(data) - 40])
    weft("unpack", tmp / "p", tmp / "u", status=3)
    no_others(tmp, "p")


def small_disk(tmp):
    """A folder on a full disk, or None where this may not be made."""
    folder = tmp / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder], capture_output=True)
    if made.returncode != 0:
        folder.rmdir()
        return None
    return folder


def made_of(trace, out):
    """Every command that makes a trace of a trace."""
    return [["cut", trace, out], ["repair", trace, out], ["anonymize", trace, out], ["pack", trace, out], ["merge", out, trace]]


def test_writing_that_fails_says_so_in_one_line_and_leaves_nothing(tmp):
    trace, disk = CORPUS / "go1.26-httpload.trace", small_disk(tmp)
    (tmp / "folder").mkdir()
    places = [(tmp / "none" / "out", "No such file"), (tmp / "folder", "Is a directory"), ("/dev/full", "No space left")]
    try:
        for place, why in places + ([(disk / "out", "No space left")] if disk else []):
            for words in made_of(trace, place):
                p = weft(*words, status=3)
                lines = p.stderr.decode().splitlines()
                assert len(lines) == 1 and why in lines[0] and not p.stdout, (words, lines, p.stdout)
        if disk:
            assert not any(disk.iterdir()), "left on the full disk"
    finally:
        if disk:
            subprocess.run(["umount", disk], check=True)
            disk.rmdir()
    (tmp / "folder").rmdir()
    no_others(tmp)


def test_what_stood_there_is_replaced_as_a_whole_or_stays(tmp):
    trace = CORPUS / "go1.26-httpload.trace"
    for i in range(len(made_of(trace, None))):
        (tmp / "t").write_bytes(trace.read_bytes())
        (tmp / "t").chmod(0o600)
        weft(*made_of(tmp / "t", tmp / "t")[i])
        assert (tmp / "t").stat().st_mode & 0o777 == 0o600
        weft("check", tmp / "t")
    (tmp / "link").symlink_to("t")
    weft("cut", trace, tmp / "link")
    assert (tmp / "link").is_symlink() and (tmp / "t").stat().st_mode & 0o777 == 0o600
    weft("cut", CORPUS / "bad-text.trace", tmp / "t", status=3)
    weft("check", tmp / "t")
    no_others(tmp, "link", "t")


def test_a_signal_leaves_nothing(tmp):
    """It waits for the rest of its input: so it has not ended by itself."""
    data = (CORPUS / "go1.26-httpload.trace").read_bytes()
    for words in made_of("-", tmp / "out"):
        p = subprocess.Popen([WEFT, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        p.stdin.write(data)
        p.stdin.flush()
        p.send_signal(signal.SIGINT)
        assert p.wait(60) == -signal.SIGINT, (words, p.returncode)
        p.stdin.close()
        no_others(tmp)


def test_a_signal_leaves_nothing_of_a_database(tmp):
    """SQLite writes to a name; it may have ended when the signal comes, but not each time."""
    for _ in range(50):
        p = subprocess.Popen([WEFT, "export", "sqlite", CORPUS / "go1.26-httpload.trace", tmp / "out"])
        while p.poll() is None and not list(tmp.iterdir()):
            pass
        p.send_signal(signal.SIGINT)
        if p.wait(60) == -signal.SIGINT:
            no_others(tmp)
            return
        (tmp / "out").unlink()
    assert False, "no signal came in time"


def test_many_traces_are_answered_as_one_after_another(tmp):
    some = TRACES[::29] + [CORPUS / "go1.19-cgocb.trace", CORPUS / "bad-version.trace"]
    for command in (["findings"], ["goroutines", "--json"], ["events", "--format=json"]):
        alone, status = b"", 0
        for i, path in enumerate(some):
            p = weft(*command, path, status=None)
            status = max(status, p.returncode)
            name = b'{"file":"%s"}\n' if "--json" in command else b"\n==> %s <==\n" if i else b"==> %s <==\n"
            alone += name % str(path).encode() + p.stdout
        for threads in (1, 7):
            p = weft(*command, f"--threads={threads}", *some, status=None)
            assert p.returncode == status, (command, p.returncode, status)
            assert p.stdout == alone, (command, threads)


def test_a_broken_trace_does_not_stop_the_rest(tmp):
    broken = CORPUS / "go1.19-cgocb.trace"
    p = weft("goroutines", broken, tmp / "none", CORPUS / "go1.26-hello.trace", status=3)
    assert b"main.main" in p.stdout and p.stdout.count(b"==> ") == 3
    lines = p.stderr.decode().splitlines()
    assert [line.split(": ")[1] for line in lines] == [str(broken), str(tmp / "none")], lines
    p = weft("goroutines", "--range=50ms..", CORPUS / "go1.26-hello.trace", CORPUS / "go1.26-locks.trace", status=2)
    assert b"main.main" in p.stdout and p.stderr.count(b"weft: ") == 1


INTO = ((["report"], ".html"), (["export", "perfetto"], ".pftrace"), (["export", "chrome"], ".json"), (["export", "csv", "--table=tasks"], ".tasks.csv"),
        (["export", "collapsed"], ".folded"), (["profile", "sched"], ".sched.pb.gz"))


def test_of_several_traces_files_go_into_a_folder(tmp):
    some = [CORPUS / f"go1.26-{n}.trace" for n in ("hello", "httpload", "annotate")]
    for words, ending in INTO:
        weft(*words, *some, "-o", tmp / "out")
        for path in some:
            weft(*words, path, "-o", tmp / "one")
            assert (tmp / "out" / (path.name + ending)).read_bytes() == (tmp / "one").read_bytes(), (words, path)
    assert len(list((tmp / "out").iterdir())) == len(INTO) * len(some)
    weft("export", "sqlite", *some, "-o", tmp / "out", "--threads=1")
    assert (tmp / "out/go1.26-hello.trace.sqlite").stat().st_size > 0
    for path in some:
        (tmp / path.name).write_bytes(path.read_bytes())
    (tmp / "one").unlink()
    weft("report", tmp, f"--output={tmp}/pages/")
    assert sorted(p.name for p in (tmp / "pages").iterdir()) == sorted(p.name + ".html" for p in some)
    weft("export", "collapsed", "-o", tmp / "pages", some[0])  # one trace into a folder that is there
    assert (tmp / "pages/go1.26-hello.trace.folded").exists()


def test_a_folder_is_written_to_as_a_whole_or_not(tmp):
    trace = CORPUS / "go1.26-hello.trace"
    (tmp / "a").mkdir()
    (tmp / "a" / trace.name).write_bytes(trace.read_bytes())
    for words, ending in INTO:
        p = weft(*words, trace, tmp / "a" / trace.name, "-o", tmp / "out", status=2)
        assert b"would both be written there" in p.stderr and p.stderr.count(b"weft: ") == 1, p.stderr
        (tmp / f"there/{trace.name}{ending}").mkdir(parents=True, exist_ok=True)
        p = weft(*words, TRACES[-1], trace, "-o", tmp / "there", status=2)
        assert b"it is there already" in p.stderr, p.stderr
        p = weft(*words, trace, TRACES[-1], "-o", tmp / "none/out", status=3)
        assert b"none/out: No such file" in p.stderr, p.stderr
        weft(*words, CORPUS / "bad-text.trace", tmp / "nothing", "-o", tmp / "out", status=3)
    assert len(list((tmp / "there").iterdir())) == len(INTO)
    weft("export", "nothing", trace, trace, "-o", tmp / "out", status=2)
    weft("export", "csv", "--table=none", trace, tmp, "-o", tmp / "out", status=2)
    weft("export", "sqlite", tmp / "a", tmp / "out", status=2)
    weft("report", trace, TRACES[-1], status=2)
    no_others(tmp, "a", "there")
    weft("export", "perfetto", CORPUS / "bad-text.trace", trace, "-o", tmp / "out", status=3)
    no_others(tmp / "out", "go1.26-hello.trace.pftrace")


def test_what_is_wrong_with_the_question_is_said_once(tmp):
    for words in (["goroutines", "--filter=fn:("], ["findings", "--fail-on=x"], ["profile", "nothing"]):
        p = weft(*words, *TRACES[:20], status=2)
        assert p.stderr.count(b"weft: ") == 1, p.stderr


sys.exit(tap.run(globals(), sys.argv[3:]))
