"""`tenon run`: what a program gets, and how it ends."""

import datetime
import os
import pty
import select
import subprocess
import termios
import time

from harness import both_links


@both_links
def test_hello_of_every_toolchain_is_printed(t):
    t("run", "@hello").succeeded("Hello from a component\n")
    t("run", "@c_hello").succeeded("Hello from C++\n")


# -- Arguments and environment


@both_links
def test_arguments_reach_the_program(t):
    words = ["one", "two words", "", "-x", "--env", "--", "ä€😀"]
    expected = "".join(word + "\n" for word in words)
    t("run", "@cli", "args", *words).succeeded(expected)
    t("run", "@c_cli", "args", *words).succeeded(expected)


def test_options_end_at_the_file(t):
    t("run", "--env", "A=1", "@cli", "args", "--env", "B=2").succeeded("--env\nB=2\n")
    t("run", "--", t.guest("cli"), "args", "x").succeeded("x\n")


@both_links
def test_the_environment_is_what_the_options_say(t):
    for guest in ("@cli", "@c_cli"):
        t("run", guest, "env", env={"FOO": "bar"}).succeeded("")
        t("run", "--env", "B=2=3", "--env", "FOO", "--env=A=", guest, "env",
          env={"FOO": "from outside"}).succeeded("A=\nB=2=3\nFOO=from outside\n")


def test_of_several_values_for_one_name_the_guest_gets_all(t):
    # As from wasmtime run; what a program finds by getenv is the first.
    words = ("--env", "A=1", "--env", "B=x", "--env", "A=2", "--env", "A")
    ended = t("run", *words, "@cli", "env", env={"A": "3"}).succeeded()
    assert sorted(ended.out.splitlines()) == ["A=1", "A=2", "A=3", "B=x"], str(ended)
    assert "the guest gets all in this order" in " ".join(t("run", "--help").succeeded().out.split())


def test_a_variable_that_is_not_set_cannot_be_passed_on(t):
    t("run", "--env", "NO_SUCH_VARIABLE", "@cli", "env").refused(125, "NO_SUCH_VARIABLE", "not set")
    t("run", "--env", "=x", "@cli", "env").refused(125, "--env =x")


# -- Standard streams


@both_links
def test_input_from_a_pipe_arrives_whole(t):
    data = bytes(i * 7 % 251 for i in range(1_000_000))
    assert t("run", "@cli", "cat", input=data).succeeded().raw_out == data
    assert t("run", "@c_cli", "cat", input=data).succeeded().raw_out == data


def test_input_from_a_file_arrives_whole(t):
    path = t.file("input", "first\nsecond\n" * 20000)
    for guest in ("@cli", "@c_cli"):
        with open(path, "rb") as file:
            ended = t("run", guest, "cat", input=None, stdin=file)
        assert ended.succeeded().raw_out == path.read_bytes()


def test_an_empty_input_ends_at_once(t):
    t("run", "@cli", "lines", input=b"").succeeded("end\n")
    t("run", "@cli", "lines", input=None, stdin=subprocess.DEVNULL).succeeded("end\n")
    t("run", "@c_cli", "lines", input=None, stdin=subprocess.DEVNULL).succeeded("")


def test_a_closed_input_is_an_empty_one(t):
    t("run", "@cli", "lines", input=None, stdin=None, preexec_fn=lambda: os.close(0)).succeeded("end\n")


def test_closed_outputs_do_not_stop_a_program(t):
    # What is opened later must not land on their numbers.
    def close():
        os.close(1)
        os.close(2)

    entries = sorted(t.cache.rglob("*"))
    t("run", "@cli", "both", preexec_fn=close).exited(0)
    for path in entries:
        assert b"to standard output" not in path.read_bytes()[:64] if path.is_file() else True


@both_links
def test_a_line_is_answered_before_the_next_is_there(t):
    for guest in ("@cli", "@c_cli"):
        process = t.start("run", guest, "lines")
        for number, word in enumerate((b"one", b"two"), 1):
            process.stdin.write(word + b"\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"%d %s\n" % (number, word)
        process.stdin.close()
        process.stdin = None
        t.finish(process).exited(0)


def read_all(fd):
    data = b""
    while select.select([fd], [], [], 60)[0]:
        try:
            more = os.read(fd, 65536)
        except OSError:  # EIO: the other end of a terminal is gone
            break
        if not more:
            break
        data += more
    return data


def test_a_terminal_gives_lines_until_its_end_of_file(t):
    for guest, end in (("@cli", b"end\n"), ("@c_cli", b"")):
        ours, theirs = pty.openpty()
        process = t.start("run", guest, "lines", stdin=theirs)
        os.close(theirs)
        os.write(ours, b"one\n")
        assert process.stdout.readline() == b"1 one\n"
        os.write(ours, b"two\n\x04")
        ended = t.finish(process)
        os.close(ours)
        ended.exited(0)
        assert ended.raw_out == b"2 two\n" + end, str(ended)


def test_output_to_a_terminal_arrives_and_the_terminal_stays_as_it_was(t):
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = t.start("run", "@cli", "both", stdin=theirs, stdout=theirs, stderr=theirs)
    process.wait(timeout=60)
    assert termios.tcgetattr(theirs) == before
    assert not os.get_blocking(ours) or os.get_blocking(theirs)
    os.close(theirs)
    assert read_all(ours) == b"to standard output\r\nto standard error\r\n"
    os.close(ours)
    assert process.returncode == 0


@both_links
def test_output_and_error_are_apart(t):
    for guest in ("@cli", "@c_cli"):
        ended = t("run", guest, "both").succeeded("to standard output\n")
        assert ended.err == "to standard error\n", str(ended)


@both_links
def test_big_output_arrives_whole(t):
    ended = t("run", "@cli", "big-output", 10_000_000).succeeded()
    assert ended.raw_out == b"x" * 10_000_000


def test_big_output_to_a_file_arrives_whole(t):
    with open(t.folder / "out", "wb") as file:
        t("run", "@cli", "big-output", 3_000_001, stdout=file).succeeded()
    assert (t.folder / "out").stat().st_size == 3_000_001


def test_a_slow_reader_gets_everything(t):
    process = t.start("run", "@cli", "big-output", 1_000_000)
    process.stdin.close()
    total = 0
    while chunk := process.stdout.read(50_000):
        total += len(chunk)
        time.sleep(0.01)
    assert process.wait(timeout=60) == 0 and total == 1_000_000


def test_a_reader_that_leaves_is_an_error_of_the_program(t):
    process = t.start("run", "@cli", "big-output", 50_000_000)
    process.stdin.close()
    assert process.stdout.read(10) == b"x" * 10
    process.stdout.close()
    code = process.wait(timeout=60)
    error = process.stderr.read().decode()
    process.stderr.close()
    # No signal: the write failed, and Rust's main returned that error.
    assert code == 1, f"{code}: {error}"


# -- How programs end


@both_links
def test_exit_codes_are_the_program_s(t):
    for words, code in ((["exit", 0], 0), (["exit", 3], 1), (["exit-failure"], 1), (["return-error"], 1)):
        t("run", "@cli", *words).exited(code)
    for words, code in ((["exit", 0], 0), (["exit", 3], 1), (["return", 0], 0), (["return", 3], 1)):
        t("run", "@c_cli", *words).exited(code)


@both_links
def test_exit_with_code_gives_every_code(t):
    t("run", "@exit_code").exited(42)
    for code in (0, 1, 7, 124, 255):
        ended = t("run", "@exit_code", code).exited(code)
        assert ended.out == f"exiting with {code}\n" and ended.err == "", str(ended)


@both_links
def test_a_panic_is_a_trap_behind_its_message(t):
    ended = t("run", "@cli", "panic", "too bad").refused(134, "cli.wasm trapped: unreachable")
    assert any("too bad" in line for line in ended.before), str(ended)


@both_links
def test_a_trap_names_the_functions_it_was_in(t):
    ended = t("run", "@cli", "trap").refused(134, "cli.wasm trapped: unreachable instruction executed")
    assert "cli::trap" in ended.details[0] and "cli::main" in ended.details[1], str(ended)
    t("run", "@c_cli", "trap").refused(134, "c_cli.wasm trapped: unreachable")
    t("run", "@c_cli", "abort").refused(134, "c_cli.wasm trapped: unreachable")


# -- Time


@both_links
def test_clocks_tell_the_time(t):
    for guest in ("@cli", "@c_cli"):
        lines = t("run", guest, "clock", 50).succeeded().out.splitlines()
        passed = int(lines[0].split()[1])
        assert 50 <= passed < 20_000, lines
        year = datetime.datetime.now(datetime.timezone.utc).year
        assert abs(int(lines[1].split()[1]) - year) <= 1, lines


@both_links
def test_a_sleeping_program_uses_no_cpu(t):
    t("run", "@cli", "sleep", 0).succeeded()  # compiled from here on
    start = t("run", "@cli", "sleep", 0).succeeded("slept\n").cpu
    ended = t("run", "@cli", "sleep", 4000).succeeded("slept\n")
    assert ended.seconds >= 4
    assert t.slow or ended.cpu < start + 0.2, f"5 % of a core: {ended}"


def test_a_program_that_waits_for_input_uses_no_cpu(t):
    t("run", "@cli", "cat", input=b"").succeeded()
    start = t("run", "@cli", "cat", input=b"").succeeded().cpu
    begin = time.monotonic()
    process = t.start("run", "@cli", "cat")
    time.sleep(3)
    ended = t.finish(process, b"late", begin).succeeded("late")
    assert t.slow or ended.cpu < start + 0.15, f"5 % of a core: {ended}"


@both_links
def test_a_timeout_stops_a_program_that_computes(t):
    t("run", "@cli", "sleep", 1).succeeded()  # compiling is part of the time
    ended = t("run", "--timeout", "300ms", "@cli", "spin")
    ended.refused(124, "cli.wasm was not done after 300ms", "--timeout")
    assert 0.3 <= ended.seconds and (t.slow or ended.cpu < 5), str(ended)


@both_links
def test_a_timeout_stops_a_program_that_sleeps(t):
    for guest in ("@cli", "@c_cli"):
        t("run", guest, "sleep", 1).succeeded()  # compiling is part of the time
        ended = t("run", "--timeout", "0.3", guest, "sleep", 60_000).refused(124, "was not done after 0.3")
        assert 0.3 <= ended.seconds < 50, str(ended)


def test_a_timeout_stops_a_program_that_waits_for_input(t):
    for guest in ("@cli", "@c_cli"):
        t("run", guest, "sleep", 1).succeeded()
        read, write = os.pipe()
        ended = t("run", "--timeout", "300ms", guest, "lines", input=None, stdin=read)
        os.close(read)
        os.close(write)
        ended.refused(124, "--timeout")


def test_a_timeout_stops_a_program_that_nobody_reads(t):
    process = t.start("run", "--timeout", "500ms", "@cli", "big-output", 10_000_000)
    process.stdin.close()
    assert process.wait(timeout=60) == 124
    process.stdout.close()
    process.stderr.close()


def test_a_timeout_that_is_not_reached_changes_nothing(t):
    t("run", "--timeout", "1h", "@cli", "sleep", 10).succeeded("slept\n")


def test_a_timeout_must_be_a_duration(t):
    for text in ("soon", "5 s", "-1s", "1e400", "nan"):
        t("run", f"--timeout={text}", "@hello").refused(125, f"'{text}' is not a duration")
    t("run", "--timeout", "5x", "@hello").refused(125, "'5x'", "500ms, 10s, 5m, 1h, or a number of seconds")


# -- Limits


@both_links
def test_random_numbers_differ(t):
    for guest in ("@cli", "@c_cli"):
        numbers = [number for _ in range(2) for number in t("run", guest, "random").succeeded().out.split()]
        assert len(set(numbers)) == 4, numbers


@both_links
def test_max_memory_limits_what_a_program_gets(t):
    t("run", "--max-memory", "64M", "@cli", "alloc", 20).succeeded("20 MiB\n")
    ended = t("run", "--max-memory", "32M", "@cli", "alloc", 100)
    ended.refused(134, "cli.wasm trapped", "of 32 MiB", "--max-memory")


def test_a_program_that_needs_more_memory_at_once_does_not_start(t):
    t("run", "--max-memory", "64K", "@cli", "args").refused(125, "cli.wasm", "memory", "--max-memory")
    t("run", "--max-memory", "lots", "@cli", "args").refused(125, "'lots' is not a size")


@both_links
def test_endless_recursion_ends(t):
    ended = t("run", "@cli", "recurse").refused(134, "cli.wasm trapped: call stack exhausted", "--max-stack")
    assert "cli::recurse" in ended.details[0] and len(ended.details) < 20, str(ended)
    t("run", "--max-stack", "2M", "@cli", "recurse").refused(134, "call stack exhausted")
    t("run", "--max-stack", "1G", "@cli", "recurse").refused(125, "--max-stack 1G", "between")


# -- Directories and the network


@both_links
def test_a_program_sees_no_directory_unless_it_is_granted(t):
    t.file("secret", "top")
    for guest in ("@cli", "@c_cli"):
        ended = t("run", guest, "read-file", t.folder / "secret").exited(1)
        assert ended.out == "" and ended.err != "", str(ended)


@both_links
def test_a_granted_directory_can_be_read_and_written(t):
    t.file("note", "hello")
    grant = f"{t.folder}::/data"
    for guest in ("@cli", "@c_cli"):
        t("run", "--dir", grant, guest, "read-file", "/data/note").succeeded("hello")
    t("run", "--dir", grant, "@cli", "write-file", "/data/new", "text").succeeded()
    assert (t.folder / "new").read_text() == "text"
    t("run", "--dir", grant, "@cli", "list-dir", "/data").succeeded("new\nnote\n")


@both_links
def test_a_read_only_grant_cannot_be_written(t):
    t.file("note", "hello")
    grant = f"{t.folder}::/data:ro"
    t("run", "--dir", grant, "@cli", "read-file", "/data/note").succeeded("hello")
    t("run", "--dir", grant, "@cli", "write-file", "/data/note", "changed").exited(1)
    t("run", "--dir", grant, "@cli", "write-file", "/data/new", "text").exited(1)
    assert (t.folder / "note").read_text() == "hello" and not (t.folder / "new").exists()


def test_a_grant_must_name_a_directory(t):
    t("run", "--dir", "nowhere::/data", "@hello").refused(125, "nowhere")
    t("run", "--dir", "just-one-path", "@hello").refused(125, "the directory 'just-one-path'", "No such file")
    t("run", "--dir", ".:/data", "@hello").refused(125, "no suffix ':/data'", "'::'")
    for nothing in ("", ":ro", "::/data", "::"):
        t("run", "--dir", nothing, "@hello").refused(125, "HOST::GUEST")
    t("run", "--dir", f"{t.folder}::", "@hello").refused(125, "no guest path")


def test_a_slip_of_a_suffix_grants_nothing(t):
    for suffix in (":RO", ":rw", ":ro:ro", ":"):
        t("run", "--dir", f"{t.folder}::/x{suffix}", "@cli", "list-dir", "/").refused(
            125, "--dir", "there is no suffix", suffix, "the only one is ':ro'")
    folder = t.folder / "with:colon"
    folder.mkdir()
    (folder / "note").write_text("hello")
    t("run", "--dir", f"{folder}::/x:ro", "@cli", "read-file", "/x/note").succeeded("hello")


@both_links
def test_the_network_is_not_there(t):
    for words in (["connect", "127.0.0.1:9"], ["resolve", "localhost"]):
        ended = t("run", "@cli", *words).succeeded()
        assert ended.out != "connected\n" and "127.0.0.1" not in ended.out, str(ended)
