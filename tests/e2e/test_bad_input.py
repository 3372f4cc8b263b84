"""What is not right is refused: one line on standard error, an exit code, no crash."""

import os
import random
import subprocess

from harness import both_links, wasm_tools


# -- Command lines


def test_no_command_shows_the_commands(t):
    ended = t().exited(125)
    assert "tenon run FILE" in ended.err and ended.out == "", str(ended)


def test_help_and_version_go_to_standard_output(t):
    for words in (["--help"], ["-h"], ["help"]):
        assert "tenon run FILE" in t(*words).succeeded().out
    assert t("--version").succeeded().out.startswith("tenon ")
    for name in ("run", "call", "inspect", "compile"):
        text = t(name, "--help").succeeded().out
        assert "Example:" in text and "FILE" in text, text
        assert t("help", name).succeeded().out == text
    assert "Example:" in t("call", "@types", "--help").succeeded().out


def test_a_command_that_is_not_there(t):
    t("frobnicate").refused(125, "'frobnicate'", "tenon --help")
    t("rn").refused(125, "'rn'", "did you mean 'tenon run'?")
    t("inpsect", "x").refused(125, "did you mean 'tenon inspect'?")
    t("@hello").refused(125, "to run a file, write 'tenon run")


def test_an_option_that_is_not_there(t):
    t("run", "--envv", "A=1", "@hello").refused(125, "'--envv'", "did you mean '--env'?", "tenon run --help")
    t("run", "--frob", "@hello").refused(125, "'--frob'")
    t("inspect", "--xml", "@hello").refused(125, "'--xml'")


def test_an_option_that_is_given_too_often(t):
    t("run", "--timeout", "1s", "--timeout", "2s", "@hello").refused(125, "tenon: --timeout is given twice (")
    t("run", *["--timeout", "1s"] * 3, "@hello").refused(125, "tenon: --timeout is given 3 times (")


def test_usage_says_what_follows_the_file(t):
    assert "Usage: tenon run [OPTIONS] FILE [ARG...]\n" in t("run", "--help").succeeded().out
    assert "Usage: tenon call [OPTIONS] FILE FUNC [VALUE...]\n" in t("call", "--help").succeeded().out


def test_help_has_nothing_of_the_parser_and_nothing_for_tests_only(t):
    for command in ("run", "call", "serve", "inspect", "plan", "compile", "cache"):
        text = t(command, "--help").succeeded().out
        for left in (" TEXT", "REQUIRED", "...\n", "Print this help", "Positionals", "Excludes", "UINT", "shim"):
            assert left not in text, (command, left, text)
        assert text.startswith(("Runs", "Calls", "Serves", "Prints", "Shows", "Compiles")), text
        assert "  -h, --help  " in text and all(len(line) <= 100 for line in text.splitlines()), text
        assert "  FILE  " in text or command == "cache", text
    text = t("serve", "--help").succeeded().out
    groups = ["Listening:", "Serving:", "Limits of requests and connections:", "Patience:", "Log:",
              "What the guest gets:", "Limits of the guest:", "Compiling:", "Help:"]
    assert [line for line in text.splitlines() if line in groups] == groups, text
    assert "rewriting" not in t("run", "--no-rewrite", "@hello").refused(125, "'--no-rewrite'").err


def test_a_word_that_is_missing(t):
    t("run").refused(125, "FILE is required", "tenon run --help")
    t("run", "--timeout").refused(125, "--timeout")
    t("call").refused(125, "FILE is required")
    t("call", "@types").refused(125, "which function?", "tenon inspect")
    t("call", "@types", "--timeout", "1s", "nop").refused(125, "options go before the file")


# -- Files


def test_a_file_that_is_not_there(t):
    for command in (["run"], ["call"], ["inspect"]):
        t(*command, "nowhere.wasm", *(["f"] if command == ["call"] else [])).refused(
            127, "nowhere.wasm: No such file or directory")
    t("run", t.file("file") / "x").refused(127, "Not a directory")


def test_a_directory(t):
    t("run", t.folder).refused(126, str(t.folder), "directory")


def test_a_file_that_cannot_be_read(t):
    path = t.file("secret.wasm", b"x")
    path.chmod(0)
    if os.geteuid() == 0:
        t("run", "/proc/self/mem").refused(126, "/proc/self/mem: Input/output error")
    else:
        t("run", path).refused(126, "secret.wasm: Permission denied")


def test_a_file_that_is_no_wasm(t):
    t("run", t.file("empty.wasm")).refused(126, "empty.wasm", "empty")
    t("run", t.file("text.wasm", "#!/bin/sh\necho hello\n")).refused(126, "text.wasm: not a WebAssembly binary")
    t("call", t.file("zero.wasm", bytes(1000)), "f").refused(126, "zero.wasm: not a WebAssembly binary")
    t("inspect", t.file("short.wasm", b"\0as")).refused(126, "short.wasm")
    t("run", t.file("text.wat", "(component)")).refused(126, "text.wat")


def test_a_core_module_is_told_how_to_become_a_component(t):
    path = t.file("core.wasm", b"\0asm\1\0\0\0")
    for words in (["run", path], ["call", path, "f"], ["inspect", path], ["compile", path, "-o", "x"]):
        t(*words).refused(126, "core.wasm: this is a core module, not a component", "wasm-tools component new",
                          "wasm32-wasip2")


def test_a_file_may_come_through_a_pipe(t):
    with open(t.guest("hello"), "rb") as file:
        t("run", "/dev/stdin", input=file.read()).succeeded("Hello from a component\n")


def test_a_file_may_come_from_another_command(t):
    read, write = os.pipe()
    process = t.start("run", f"/dev/fd/{read}", pass_fds=[read])
    os.close(read)
    with open(write, "wb") as pipe, open(t.guest("hello"), "rb") as file:
        pipe.write(file.read())
    t.finish(process, b"").succeeded("Hello from a component\n")


def test_what_has_no_end_is_refused_before_it_is_read(t):
    os.mkfifo(t.folder / "fifo")
    with open(t.folder / "large", "wb") as file:
        file.truncate((1 << 30) + 1)
    for words in (["run"], ["call"], ["inspect"], ["compile", "-o", "x"], ["plan"], ["serve"]):
        end = ["f"] if words == ["call"] else []
        for path, why in (("fifo", "fifo: this is a pipe, not a file"), ("/dev/zero", "/dev/zero: this is a device, not a file")):
            ended = t(*words, path, *end, timeout=20)
            assert ended.code in (125, 126) and why in ended.err, str(ended)
    t("run", "large").refused(125, "large: larger than 1 GiB")
    t("inspect", "large").refused(125, "large: larger than 1 GiB")


def test_a_manifest_and_its_sources_are_files(t):
    os.mkfifo(t.folder / "fifo")
    os.mkfifo(t.folder / "fifo.toml")
    t("plan", "fifo.toml", timeout=20).refused(126, "fifo.toml: this is a pipe, not a file")
    for source, why in (("fifo", "a pipe"), ("/dev/zero", "a device"), ("/dev/stdin", "a pipe"), (".", "a directory")):
        t.file("tenon.toml", f'[components.a]\nsource = "{source}"\n')
        for command in ("plan", "run", "inspect"):
            t(command, ".", timeout=20).refused(125, "tenon.toml:2:10: ", f": this is {why}, not a file")
    with open(t.folder / "large.toml", "wb") as file:
        file.truncate(1 << 30)
    t("plan", "large.toml").refused(125, "large.toml: larger than 4 MiB")


def test_a_manifest_that_nests_without_end_is_refused(t):
    for text in ("a." * 100_000 + "a = 1\n", "[" + "a." * 100_000 + "a]\n", "a = " + "[" * 100_000 + "\n",
                 "a = " + "{a = " * 100_000 + "\n"):
        t.file("tenon.toml", text)
        t("plan", ".", timeout=20).refused(125, "tenon.toml:1:", "tables and arrays nest more than 32 levels deep")


def test_many_routes_and_components_take_no_square_of_time(t):
    component = f'source = "{t.guest("http_hello")}"\n'
    t.file("tenon.toml", f"[components.a]\n{component}[http.routes]\n" + "".join(f'"/{i}" = "a"\n' for i in range(40_000)))
    ended = t("plan", ".", timeout=60).succeeded()
    assert ended.cpu < 5, str(ended)
    t.file("tenon.toml", "".join(f"[components.c{i}]\n{component}" for i in range(1500)))
    ended = t("plan", ".", timeout=60).succeeded()
    assert ended.cpu < 10, str(ended)


def test_keys_and_certificates_are_files(t):
    t("serve", "--tls-key", "/dev/zero", "@hello", timeout=20).refused(125, "--tls-key", "/dev/zero", "it is no file")
    t("run", "--http-roots", "/dev/zero", "@hello", timeout=20).refused(125, "--http-roots /dev/zero", "it is no file")
    with open(t.folder / "large", "wb") as file:
        file.truncate(1 << 30)
    t("run", "--http-roots", "large", "@hello").refused(125, "larger than 8 MiB")


def test_a_truncated_component_is_refused_wherever_it_ends(t):
    whole = open(t.guest("hello"), "rb").read()
    lengths = [*range(1, 60), *range(60, len(whole), len(whole) // 60), len(whole) - 1]
    for length in lengths:
        path = t.file("cut.wasm", whole[:length])
        t("run", path).refused(126, "cut.wasm")


def test_flipped_bits_never_crash(t):
    whole = open(t.guest("types"), "rb").read()
    generator = random.Random(20240)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(generator.choice((1, 1, 3, 20))):
            damaged[generator.randrange(8, len(whole))] ^= 1 << generator.randrange(8)
        path = t.file("damaged.wasm", damaged)
        ended = t("call", "--no-cache", "--timeout", "5s", "--max-memory", "64M", path, "add", "1", "2")
        assert ended.code in (0, 124, 125, 126, 134), str(ended)
        if ended.code != 0:
            ended.refused(ended.code, "damaged.wasm")


# -- Imports and exports


@both_links
def test_an_import_that_nobody_provides_is_named_with_its_type(t):
    ended = t("call", "@host_imports", "run-all").refused(125, "host_imports.wasm", "imports are not provided")
    assert "  demo:host/api.add: func(a: u32, b: u32) -> u32" in ended.details, str(ended)
    assert "  demo:host/api.ticket: resource" in ended.details, str(ended)
    t("call", "@relay", "step", "1").exited(125)


def renamed(t, name, old, new):
    """hello.wasm with one import's name changed; both have the same length."""
    whole = open(t.guest("hello"), "rb").read()
    assert old in whole and len(old) == len(new)
    return t.file(name, whole.replace(old, new))


def test_an_import_of_a_similar_name_says_what_is_provided(t):
    path = renamed(t, "slip.wasm", b"wasi:cli/stdout@0.2.6", b"wasi:cli/stduot@0.2.6")
    ended = t("run", path).exited(125)
    assert "wasi:cli/stduot@0.2.6" in ended.err and "wasi:cli/stdout@0.2" in ended.err, str(ended)


def test_an_import_of_another_version_says_which_is_provided(t):
    path = renamed(t, "newer.wasm", b"wasi:cli/stdout@0.2.6", b"wasi:cli/stdout@0.9.6")
    ended = t("run", path).exited(125)
    assert "wasi:cli/stdout@0.9.6" in ended.err and "wasi:cli/stdout@0.2" in ended.err, str(ended)


def test_any_release_of_wasi_0_2_will_do(t):
    path = renamed(t, "later.wasm", b"wasi:cli/stdout@0.2.6", b"wasi:cli/stdout@0.2.9")
    t("run", path).succeeded("Hello from a component\n")


def test_an_export_that_is_missing_is_answered_in_one_line(t):
    for given, near in [("ad", "add"), ("echo-tupl", "echo.echo-tuple"), ("incremnt", "counter.increment"),
                        ("counter.incremen", "counter.increment"), ("[method]counter.valu", "counter.value"),
                        ("tenon:types/echo@1.0.0.echo-u9", "echo-u8"), ("basic.echo-strin", "basic.echo-string")]:
        ended = t("call", "@types", given, "1").refused(125, f"types.wasm: there is no export '{given}'",
                                                        f"; did you mean '{near}'?")
        assert ended.details == [], ended
    path = t.guest("types")
    ended = t("call", "@types", "qqqqqqqqqq").refused(125, f"'qqqqqqqqqq'; 'tenon inspect {path}' shows what there is")
    assert ended.details == [], ended
    # All that are missing, a line each, and nothing has run.
    ended = t("call", "@types", "counter", "1", "--", "ad", "1", "2", "--", "greeet", '"x"').refused(125, "'ad'")
    assert ended.details == ["  there is no export 'greeet'; did you mean 'greet'?"] and ended.out == "", ended
    t("call", "@hello", "x").refused(125, "there is no export 'x'")
    t("call", "@types", "echo.add", "1", "2").refused(125, "there is no export 'echo.add'")
    t("call", "@types", "wasi:cli/run@0.2.0.run").refused(125, "there is no export")


def test_an_http_component_is_sent_to_serve(t):
    path = t.guest("http_hello")
    t("run", path).refused(126, "does not export wasi:cli/run", f"it answers HTTP requests: 'tenon serve {path}'")
    t.file("tenon.toml", f'[components.web]\nsource = "{path}"\n')
    t("run", t.folder).refused(125, "there is no program", f"it answers HTTP requests: 'tenon serve {t.folder}'")
    t("run", "--component", "web", t.folder).refused(125, "'web'", f"'tenon serve {t.folder}'")


def test_an_import_that_nobody_provides_leads_to_manifests(t):
    t("run", "@host_imports").refused(125, "in a manifest (tenon.toml, docs/manifest.md)")


def test_wasi_0_3_is_refused_by_its_name(t):
    asynchronous = renamed(t, "next.wasm", b"wasi:cli/stdout@0.2.6", b"wasi:cli/stdout@0.3.0")
    for words in (["run", asynchronous], ["call", asynchronous, "wasi:cli/run@0.2.0.run"]):
        t(*words).refused(125, "WASI 0.3 and its asynchronous functions are not supported, Tenon provides WASI 0.2")
    t("plan", asynchronous).exited(125)
    assert "WASI 0.3" in t("plan", asynchronous).err
    program = renamed(t, "program.wasm", b"wasi:cli/run@0.2.0", b"wasi:cli/run@0.3.0")
    t("run", program).refused(126, "its wasi:cli/run is that of WASI 0.3, which is not supported")


def test_an_asynchronous_function_is_refused_by_that_name(t):
    component = t.component("asynchronous", """(component
      (core module $m (func (export "f") (result i32) i32.const 1))
      (core instance $i (instantiate $m))
      (type $f (func async (result u32)))
      (func $f (type $f) (canon lift (core func $i "f")))
      (export "f" (func $f)))""")
    t("call", component, "f").refused(126, "f is an asynchronous function, as WASI 0.3 has them")


def test_a_core_module_of_wasi_0_1_is_told_of_the_adapter(t):
    source = t.file("old.wat", """(module (import "env" "memory" (memory 1))
      (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))""")
    wasm_tools("parse", source, "-o", t.folder / "old.wasm")
    for words in (["run", "old.wasm"], ["inspect", "old.wasm"], ["serve", "old.wasm"]):
        t(*words).refused(126, "old.wasm: this is a core module of WASI 0.1 (wasip1), not a component",
                          "--adapt wasi_snapshot_preview1.command.wasm", "wasm32-wasip2")


def test_a_library_cannot_be_run(t):
    ended = t("run", "@types").refused(126, "types.wasm", "wasi:cli/run", "tenon call")
    assert "  add: func(a: u32, b: u32) -> u32" in ended.details, str(ended)


def test_errors_to_a_terminal_have_colour_and_others_have_none(t):
    import pty

    ours, theirs = pty.openpty()
    process = t.start("run", "nowhere.wasm", stderr=theirs, stdin=subprocess.DEVNULL)
    process.wait(timeout=60)
    os.close(theirs)
    text = os.read(ours, 1000).decode()
    os.close(ours)
    process.stdout.close()
    assert "\x1b[1;31mtenon:\x1b[0m nowhere.wasm" in text, text
    assert "\x1b" not in t("run", "nowhere.wasm").err
