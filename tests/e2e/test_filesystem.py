"""wasi:filesystem: programs that work on files through std::fs, and the attempts to get out."""

import os
import resource
import shutil
import signal
import tempfile
import threading
import time

from harness import both_links


def prepare(t):
    """A granted folder with links that lead out of it, and a secret beside it."""
    inside, outside = t.folder / "inside", t.folder / "outside"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_text("top secret")
    (inside / "absolute").symlink_to(outside / "secret")
    (inside / "relative").symlink_to("../outside/secret")
    (inside / "folder").symlink_to("../outside")
    (inside / "chain").symlink_to("sub/next")
    (inside / "sub/next").symlink_to("../folder")
    (inside / "dangling").symlink_to("../outside/new")
    return inside, outside


def grant(folder, guest="/data"):
    return "--dir", f"{folder}::{guest}"


@both_links
def test_files_and_directories_can_be_made_changed_and_removed(t):
    t("run", *grant(t.folder), "@sockets_files", "all", "/data").succeeded("b three\n")
    assert list(t.folder.iterdir()) == []


@both_links
def test_no_path_leads_out_of_a_granted_directory(t):
    inside, outside = prepare(t)
    t("run", *grant(inside), "@sockets_files", "escape", "/data", str(outside / "secret")).succeeded("tried\n")
    assert (outside / "secret").read_text() == "top secret"
    assert [path.name for path in outside.iterdir()] == ["secret"]
    stolen = inside / "stolen"  # at most the link itself
    assert stolen.is_symlink() or not stolen.exists()


def test_no_path_leads_out_while_somebody_exchanges_folders(t):
    inside, outside = prepare(t)
    stop = threading.Event()

    def exchange():
        while not stop.is_set():
            os.rename(inside / "sub", inside / "parked")
            os.symlink("../outside", inside / "sub")
            os.unlink(inside / "sub")
            os.rename(inside / "parked", inside / "sub")

    attacker = threading.Thread(target=exchange)
    attacker.start()
    try:
        for _ in range(5):
            ended = t("run", *grant(inside), "@sockets_files", "escape", "/data", "/data/sub/secret").exited(0)
            assert "top secret" not in ended.out, str(ended)
    finally:
        stop.set()
        attacker.join()
    assert (outside / "secret").read_text() == "top secret"
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_files_may_be_larger_than_four_gibibytes(t):
    t("run", *grant(t.folder), "@sockets_files", "sparse", "/data/large").succeeded(f"{(5 << 30) + 6}\n")
    assert (t.folder / "large").stat().st_size == (5 << 30) + 6
    assert (t.folder / "large").stat().st_blocks < 1000


def test_a_directory_may_have_a_hundred_thousand_entries(t):
    memory = "/dev/shm"  # disks take long to make so many
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else t.folder) as many:
        for i in range(100_000):
            os.mknod(f"{many}/e{i}")
        t("run", *grant(many), "@sockets_files", "count", "/data").succeeded("100000\n")


def test_a_program_makes_ten_thousand_files(t):
    t("run", *grant(t.folder), "@sockets_files", "make", "/data", 10_000).succeeded("")
    assert (t.folder / "f9999").read_text() == "9999"
    assert len(list(t.folder.iterdir())) == 10_000


def test_a_large_file_is_copied_whole(t):
    data = os.urandom(1 << 20) * 32
    t.file("from", data)
    t("run", *grant(t.folder), "@sockets_files", "copy", "/data/from", "/data/to").succeeded(f"{len(data)} bytes\n")
    assert (t.folder / "to").read_bytes() == data


@both_links
def test_errors_have_their_kinds(t):
    prepare(t)
    t.file("inside/file", "x")

    def kind(path, flags, where=""):
        words = ("--dir", f"{t.folder / 'inside'}::/data{where}")
        return t("run", *words, "@sockets_files", "kind", path, flags).succeeded().out.strip()

    assert kind("/data/nothing", "r") == "NotFound"
    assert kind("/data/file/x", "r") == "NotADirectory"
    assert kind("/data/sub", "w") == "IsADirectory"
    assert kind("/data/file", "wx") == "AlreadyExists"
    assert kind("/data/relative", "r") == "PermissionDenied"
    assert kind("/data/" + "x" * 300, "r") == "InvalidFilename"
    assert kind("/data/file", "w", where=":ro") == "ReadOnlyFilesystem"
    assert kind("/data/new", "wc", where=":ro") == "ReadOnlyFilesystem"
    assert kind("/data/file", "r", where=":ro") == "ok"


def test_one_path_is_the_name_on_both_sides(t):
    """`--dir .` is where relative paths begin, as for `wasmtime run`."""
    prepare(t)
    t.file("inside/file", "x")
    for grant, path in ((".", "inside/file"), (".", "./inside/file"), ("inside", "inside/file"),
                        ("inside/", "./inside/file"), ("./inside", "inside/file"),
                        (t.folder / "inside", t.folder / "inside/file")):
        t("run", "--dir", grant, "@sockets_files", "kind", path, "r").succeeded("ok\n")
        t("run", "--dir", f"{grant}:ro", "@sockets_files", "kind", path, "w").succeeded("ReadOnlyFilesystem\n")
    t("run", "--dir", "inside", "@sockets_files", "kind", "file", "r").succeeded("NotFound\n")
    t("run", "--dir", ".", "@sockets_files", "kind", t.folder / "inside/file", "r").succeeded("NotFound\n")
    t("run", "--dir", "inside::.", "@sockets_files", "kind", "file", "r").succeeded("ok\n")


def test_slashes_behind_a_guest_s_name_do_not_matter(t):
    prepare(t)
    t.file("inside/file", "x")
    for name, path in (("guest", "guest/file"), ("/guest", "/guest/file"), ("/", "/file")):
        for slashes in ("", "/", "//"):
            for mode, flags, kind in (("", "r", "ok"), (":ro", "w", "ReadOnlyFilesystem")):
                grant = f"inside::{name}{slashes}{mode}"
                t("run", "--dir", grant, "@sockets_files", "kind", path, flags).succeeded(f"{kind}\n")
    manifest = '[components.main]\nsource = "main.wasm"\ndirs = [{ host = "inside", guest = "/guest/" }]\n'
    t.file("tenon.toml", manifest)
    shutil.copy(t.guest("sockets_files"), t.folder / "main.wasm")
    t("run", ".", "kind", "/guest/file", "r").succeeded("ok\n")


def test_a_file_that_grows_too_large_is_an_error_of_the_program(t):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    t.file("from", b"x" * (4 << 20))
    # The compile cache must be there before, as it is larger.
    t("run", *grant(t.folder), "@sockets_files", "count", "/data").succeeded()
    ended = t("run", *grant(t.folder), "@sockets_files", "copy", "/data/from", "/data/to", preexec_fn=limit).exited(1)
    assert "error" in ended.out and (t.folder / "to").stat().st_size == 1 << 20, str(ended)


def test_a_fifo_that_nobody_writes_to_waits_without_the_processor(t):
    fifo = t.folder / "fifo"
    os.mkfifo(fifo)
    t.file("note", "at once")
    start = [t("run", *grant(t.folder), "@cli", "read-file", "/data/note").succeeded("at once").cpu for _ in range(2)][1]
    process = t.start("run", *grant(t.folder), "@cli", "read-file", "/data/fifo")
    time.sleep(0.7)
    assert process.poll() is None
    with open(fifo, "w") as writer:
        writer.write("at last")
    ended = t.finish(process).succeeded("at last")
    assert t.slow or ended.cpu < start + 0.3, (start, str(ended))


def test_a_timeout_stops_a_program_that_waits_for_a_fifo(t):
    os.mkfifo(t.folder / "fifo")
    t("run", "--timeout", "300ms", *grant(t.folder), "@cli", "read-file", "/data/fifo").exited(124)
