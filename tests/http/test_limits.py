"""A machine that has no more to give: disks that are full, too many open files, ports that are taken."""

import contextlib
import resource
import subprocess

import harness

from serving import Serving


def test_a_log_that_cannot_be_written_is_told_once_and_harms_no_request(t):
    with Serving(t, "@http_web", "--log-file", "/dev/full") as server:
        for _ in range(5):
            assert server.get("/").status == 200
        lines = server.wait_for(lambda: [x for x in list(server.lines) if "access log" in x], bool)
        assert "No space left" in lines[0], lines
        assert server.get("/").status == 200
    assert len([x for x in server.lines if "access log" in x]) == 1, server.lines


def test_a_log_file_that_may_not_grow_is_told_and_harms_no_request(t):
    t("compile", "@http_web", "-o", str(t.folder / "web.cwasm")).succeeded()
    limits = [(resource.RLIMIT_FSIZE, 4096)]
    path = t.folder / "access.log"
    with Serving(t, t.folder / "web.cwasm", "--no-cache", "--log-file", path, limits=limits) as server:
        for _ in range(60):
            assert server.get("/request?" + "x" * 200).status == 200
        server.wait_for(lambda: list(server.lines), lambda lines: any("File too large" in x for x in lines))
    assert path.stat().st_size == 4096


def test_a_disk_that_is_full_is_an_error_of_the_guests_write(t):
    t("compile", "@http_web", "-o", str(t.folder / "web.cwasm")).succeeded()
    data = t.folder / "data"
    data.mkdir()
    limits = [(resource.RLIMIT_FSIZE, 100_000)]
    with Serving(t, t.folder / "web.cwasm", "--no-cache", "--dir", f"{data}::/data", limits=limits) as server:
        assert server.get("/write?name=/data/small&n=1000").text == "written\n"
        answer = server.get("/write?name=/data/large&n=1000000")
        # The stream's error; Rust's standard library does not ask what kind it is.
        assert answer.status == 507 and "I/O error" in answer.text, answer
        assert server.get("/write?name=/data/small&n=2000").text == "written\n"


def test_a_program_is_told_that_the_disk_is_full(t):
    t("compile", "@sockets_files", "-o", str(t.folder / "files.cwasm")).succeeded()
    t.file("from", b"x" * 300_000)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    words = ["run", "--no-cache", "--dir", f"{t.folder}::/data", t.folder / "files.cwasm"]
    done = t(*words, "copy", "/data/from", "/data/to", preexec_fn=limit).exited(1)
    assert "I/O error" in done.out, done
    assert (t.folder / "to").stat().st_size == 100_000


@contextlib.contextmanager
def small_disk(t, size):
    """A folder on a disk of its own, of `size` bytes."""
    folder = t.folder / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        raise harness.Skipped("this user cannot mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_harms_no_request(t):
    with small_disk(t, 64 << 10) as disk:
        log, data = disk / "access.log", disk / "data"
        data.mkdir()
        options = ["--dir", f"{data}::/data", "--log-file", log]
        # There is no room for compiled code.
        with Serving(t, "@http_web", *options, env={"XDG_CACHE_HOME": disk}) as server:
            answer = server.get("/write?name=/data/large&n=1000000")
            assert answer.status == 507 and "I/O error" in answer.text, answer
            for _ in range(5):
                assert server.get("/").status == 200
            lines = server.wait_for(lambda: list(server.lines), lambda all: any("access log" in x for x in all))
            assert any("No space left" in x and "access log" in x for x in lines), lines
            assert any("No space left" in x and ".artifact" in x for x in lines), lines
            (data / "large").unlink()
            assert server.get("/write?name=/data/small&n=10").text == "written\n"
            server.wait_for(lambda: log.read_text(), lambda text: "small" in text)


def test_too_many_open_files_delay_connections_and_lose_none(t):
    if t.slow:
        raise harness.Skipped("UBSan takes objects for broken when it cannot open a pipe to look at them")
    with Serving(t, "@http_web", limits=[(resource.RLIMIT_NOFILE, 64)]) as server:
        clients = [server.client() for _ in range(100)]
        lines = server.wait_for(lambda: [x for x in list(server.lines) if "cannot accept" in x], bool)
        assert "Too many open files" in lines[0], lines
        answered = 0
        for client in clients[:20]:
            answered += client.get("/").status == 200
            client.close()
        assert answered == 20
        # Those that had to wait have their turn now.
        for client in clients[20:]:
            assert client.get("/").status == 200
            client.close()
        assert server.get("/").status == 200


def test_too_many_open_files_are_an_error_of_the_guests_open(t):
    t.file("note", "a note")
    limits = [(resource.RLIMIT_NOFILE, 64)]
    with Serving(t, "@http_web", "--dir", f"{t.folder}::/data:ro", limits=limits) as server:
        answer = server.get("/open?name=/data/note&n=500")
        assert "Out of memory" in answer.text, answer  # WASI 0.2 has no code of its own for it
        before = server.descriptors()
        assert server.get("/open?name=/data/note&n=5").text == "all open\n"
        server.wait_for(server.descriptors, lambda count: count <= before)
