"""`tenon compile` and the compile cache."""

import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import time

from harness import Skipped, both_links, one_core


def entries(cache):
    return sorted(path for path in cache.rglob("*") if path.is_file())


def own_cache(t):
    """A cache of the test's own: (folder of the entries, environment)."""
    home = t.folder / "cache-home"
    home.mkdir(mode=0o700, exist_ok=True)
    return home / "tenon" / "artifacts", {"XDG_CACHE_HOME": home}


def one_entry(t, guest="@hello"):
    """A cache with one entry, and what the entry is like."""
    folder, env = own_cache(t)
    t("run", guest, env=env).succeeded()
    (entry,) = entries(folder)
    return folder, env, entry


# -- Artifacts


@both_links
def test_an_artifact_runs_in_the_component_s_place(t):
    t("compile", "@cli", "-o", "cli.tenon").succeeded("")
    t("run", "cli.tenon", "args", "x", "y").succeeded("x\ny\n")
    t("run", "--no-cache", "cli.tenon", "trap").refused(134, "cli.tenon trapped")
    t("compile", "@types", "--output", "types.tenon").succeeded("")
    t("call", "types.tenon", "counters", "2", "--", "sum", "[#counter-1, #counter-2]").succeeded(
        "[#counter-1, #counter-2]\n1\n")


@both_links
def test_nested_components_compile_too(t):
    t("compile", "@nested", "-o", "nested.tenon").succeeded("")
    t("call", "nested.tenon", "echo-u8", "7").succeeded("7\n")


def test_an_artifact_of_other_settings_is_refused(t):
    t("compile", "--no-rewriting", "@hello", "-o", "hello.tenon").succeeded("")
    t("run", "hello.tenon").refused(126, "hello.tenon", "other settings", "compile it again")


def test_an_artifact_that_others_may_write_to_is_refused(t):
    t("compile", "@hello", "-o", "hello.tenon").succeeded("")
    path = t.folder / "hello.tenon"
    assert stat.S_IMODE(path.stat().st_mode) & 0o022 == 0
    for mode in (0o664, 0o646):
        path.chmod(mode)
        t("run", "hello.tenon").refused(126, "hello.tenon")


def test_a_damaged_artifact_is_refused(t):
    t("compile", "@hello", "-o", "hello.tenon").succeeded("")
    whole = (t.folder / "hello.tenon").read_bytes()
    path = t.folder / "damaged.tenon"
    for position in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x40]) + whole[position + 1:])
        path.chmod(0o644)
        t("run", "damaged.tenon").refused(126, "damaged.tenon")
    for length in (len(whole) - 1, len(whole) // 2, 100):
        path.write_bytes(whole[:length])
        t("run", "damaged.tenon").refused(126, "damaged.tenon")


def test_compile_does_not_replace_its_component(t):
    shutil.copy(t.guest("hello"), t.folder / "hello.wasm")
    before = (t.folder / "hello.wasm").read_bytes()
    t("compile", "hello.wasm", "-o", "./hello.wasm").refused(125, "replace the component", "-o")
    assert (t.folder / "hello.wasm").read_bytes() == before


def test_compile_says_where_it_could_not_write(t):
    t("compile", "@hello", "-o", "nowhere/hello.tenon").refused(125, "nowhere/hello.tenon")
    t("compile", "@hello", "-o", t.folder).refused(125, "Is a directory")
    t("compile", "nowhere.wasm", "-o", "x").refused(127, "nowhere.wasm")
    assert entries(t.folder) == []


def test_compile_writes_to_what_is_there(t):
    def runs(name):
        (t.folder / name).chmod(0o644)
        t("run", name).succeeded("Hello from a component\n")

    os.mkfifo(t.folder / "pipe")
    with open(t.folder / "piped", "wb") as file:
        reader = subprocess.Popen(["cat", "pipe"], cwd=t.folder, stdout=file)
    t("compile", "@hello", "-o", "pipe").succeeded("")
    assert reader.wait(timeout=60) == 0
    assert stat.S_ISFIFO((t.folder / "pipe").stat().st_mode)
    runs("piped")
    (t.folder / "link").symlink_to("made/target")
    (t.folder / "made").mkdir()
    for _ in range(2):
        t("compile", "@hello", "-o", "link").succeeded("")
        assert (t.folder / "link").is_symlink() and not (t.folder / "made/target").is_symlink()
        runs("made/target")
    # Links of the test's own: when this fails, the devices are still there.
    (t.folder / "full").symlink_to("/dev/full")
    t("compile", "@hello", "-o", "full").refused(125, "full: No space left on device")
    (t.folder / "out").symlink_to("/proc/self/fd/1")
    t.file("captured", t("compile", "@hello", "-o", "out").succeeded().raw_out)
    runs("captured")
    with open(t.folder / "redirected", "wb") as file:
        t("compile", "@hello", "-o", "out", stdout=file).succeeded()
    runs("redirected")
    assert (t.folder / "full").is_symlink() and (t.folder / "out").is_symlink()
    t("compile", "@hello", "-o", "made").refused(125, "made: Is a directory")
    assert sorted(path.name for path in (t.folder / "made").iterdir()) == ["target"]


def test_an_interrupted_compile_leaves_nothing(t):
    folder, env = own_cache(t)
    t("compile", "@hello", env=env).succeeded()
    kept = entries(folder)
    for end in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        process = t.start("compile", "@types", "-o", "types.tenon", "--no-cache", env=env)
        time.sleep(random.uniform(0.02, 0.3))
        process.send_signal(end)
        process.communicate(timeout=60)
        left = {path.name for path in t.folder.iterdir()} - {"cache-home"}
        assert left <= {"types.tenon"}, left
        if left:
            t("run", "types.tenon").refused(126, "it is no program")
            (t.folder / "types.tenon").unlink()
        assert entries(folder) == kept


# -- The cache


def test_workloads_are_compiled_into_the_cache(t):
    folder, env = own_cache(t)
    t.file("tenon.toml", f"""[components.web]
source = "{t.guest("prober")}"
[components.cart]
source = "{t.guest("probe")}"
""")
    t("compile", t.folder, env=env).succeeded("")
    before = entries(folder)
    assert before
    t("run", t.folder, "say", "a", "b", "c", env=env).succeeded("abc\n")
    assert entries(folder) == before
    t("compile", t.folder, "-o", "x", env=env).refused(125, "-o is for components")
    t("compile", t.folder / "nothing.toml", env=env).refused(127, "nothing.toml")
    t("compile", "@hello", env=env).succeeded("")
    assert len(entries(folder)) == len(before) + 1


def test_the_cache_is_listed_and_cleared(t):
    folder, env = own_cache(t)
    assert t("cache", env=env).succeeded().out == f"0 entries, 0 KiB of at most 1024 MiB, in {folder}\n"
    for guest in ("hello", "types"):
        shutil.copy(t.guest(guest), t.folder / f"{guest}.wasm")
        t("compile", f"{guest}.wasm", env=env).succeeded()
    os.utime(entries(folder)[0])
    lines = t("cache", env=env).succeeded().out.splitlines()
    assert lines[0].split() == ["SIZE", "LAST", "USED", "COMPILED", "FROM"], lines
    assert {line.split()[-1] for line in lines[1:3]} == {str(t.folder / "hello.wasm"), str(t.folder / "types.wasm")}, lines
    assert lines[-1].startswith("2 entries, ") and lines[-1].endswith(str(folder)), lines
    listed = json.loads(t("cache", "list", "--json", env=env).succeeded().out)
    assert listed["size"] == sum(path.stat().st_size for path in entries(folder)), listed
    assert [entry["path"] for entry in listed["entries"]][0] == str(entries(folder)[0]), listed
    assert t("cache", "size", env=env).succeeded().out == lines[-1] + "\n"
    assert t("cache", "clear", env=env).succeeded().out.startswith("removed 2 entries, ")
    assert entries(folder) == []
    t("cache", "shrink").refused(125, "'shrink'", "list, size or clear")


def test_what_a_file_was_before_it_was_edited_does_not_pile_up(t):
    folder, env = own_cache(t)
    for i in range(7):
        t.component("edited", f"""(component (core module $m (func (export "run") (result i32) i32.const 0)
            (func (result i32) i32.const {i}))
          (core instance $i (instantiate $m))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))""")
        t("run", "edited.wasm", env=env).succeeded("")
    assert len(entries(folder)) == 4, entries(folder)
    t("run", "@hello", env=env).succeeded()
    assert len(entries(folder)) == 5, entries(folder)


def slow_component(t):
    """One that takes a core some seconds to compile: two modules of many functions, each of some size."""
    body = "".join(f"(local.set 0 (i64.mul (local.get 0) (i64.const {i}))) (if (i64.eqz (local.get 0)) (then return))"
                   for i in range(3, 800))
    functions = "".join(f"(func (param i64) {body})" for _ in range(300))
    modules = "".join(f"(core module {name} {functions} (memory {name} 1)) (core instance (instantiate {name}))"
                      for name in ("$a", "$b"))
    return t.component("slow", f"(component {modules})")


def test_compiling_for_long_is_told_on_a_terminal(t):
    code = slow_component(t)
    text, exit = t.on_terminal("compile", code, "--no-cache", "-o", "x.tenon", columns=120, preexec_fn=one_core)
    assert exit == 0 and "\rtenon: compiling " in text and "iB), 1 s\x1b[K" in text, repr(text)
    # Half of it is one of two modules.
    assert re.search(r"iB\), [0-9]+ s, (49|50) %\x1b\[K", text), repr(text)
    assert text.endswith("\r\x1b[K"), repr(text)
    for env in ({"TERM": "dumb"},):
        assert t.on_terminal("compile", code, "--no-cache", "-o", "x.tenon", env=env)[0] == ""
    ended = t("compile", code, "--no-cache", "-o", "x.tenon").succeeded("")
    assert ended.err == "", ended


@both_links
def test_a_second_run_does_not_compile(t):
    folder, env = own_cache(t)
    first = t("run", "@cli", "args", env=env).succeeded()
    (entry,) = entries(folder)
    before = entry.stat()
    second = t("run", "@cli", "args", "x", env=env).succeeded("x\n")
    after = entry.stat()
    assert entries(folder) == [entry]
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert t.slow or second.cpu < first.cpu / 2, f"{first}\n{second}"


def test_the_cache_goes_by_content(t):
    folder, env, _ = one_entry(t)
    shutil.copy(t.guest("hello"), t.folder / "other name.wasm")
    t("run", "other name.wasm", env=env).succeeded("Hello from a component\n")
    assert len(entries(folder)) == 1
    t("run", "@c_hello", env=env).succeeded()
    assert len(entries(folder)) == 2


def test_entries_belong_to_their_user_alone(t):
    folder, _, entry = one_entry(t)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.stat().st_mode) & 0o022 == 0


def test_a_damaged_entry_is_made_again(t):
    _, env, entry = one_entry(t)
    whole = entry.read_bytes()
    middle = len(whole) // 2
    for damaged in (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:], whole[:middle], b"", b"garbage",
                    whole + b"more", bytes(len(whole))):
        entry.write_bytes(damaged)
        t("run", "@hello", env=env).succeeded("Hello from a component\n")
        assert len(entry.read_bytes()) == len(whole)
    # And what was made is good: it is taken as it is.
    before = entry.stat().st_ino
    t("run", "@hello", env=env).succeeded("Hello from a component\n")
    assert entry.stat().st_ino == before


def test_an_entry_that_others_may_write_to_is_not_loaded(t):
    _, env, entry = one_entry(t)
    before = entry.stat().st_ino
    for mode in (0o664, 0o646, 0o666):
        entry.chmod(mode)
        ended = t("run", "@hello", env=env).succeeded("Hello from a component\n")
        assert "warning" in ended.err and str(entry) in ended.err, str(ended)
        assert entry.stat().st_ino != before and stat.S_IMODE(entry.stat().st_mode) & 0o022 == 0
        before = entry.stat().st_ino


def test_an_entry_that_is_a_link_is_not_followed(t):
    _, env, entry = one_entry(t)
    elsewhere = t.folder / "elsewhere"
    entry.rename(elsewhere)
    entry.symlink_to(elsewhere)
    t("run", "@hello", env=env).succeeded("Hello from a component\n")
    assert not entry.is_symlink() and elsewhere.exists()


def test_a_folder_that_others_may_write_to_is_not_used(t):
    folder, env, entry = one_entry(t)
    before = entry.stat()
    folder.chmod(0o770)
    ended = t("run", "@hello", env=env).succeeded("Hello from a component\n")
    assert ended.err.startswith("tenon: warning: ") and str(folder) in ended.err, str(ended)
    assert ended.err.count("\n") == 1, str(ended)
    assert entry.stat().st_ino == before.st_ino and len(entries(folder)) == 1
    assert t("run", "--no-cache", "@hello", env=env).succeeded("Hello from a component\n").err == ""


def test_a_cache_that_cannot_be_made_is_done_without(t):
    (t.folder / "file").write_text("")
    ended = t("run", "@hello", env={"XDG_CACHE_HOME": t.folder / "file"}).succeeded("Hello from a component\n")
    assert "warning" in ended.err, str(ended)
    ended = t("run", "@hello", env={"XDG_CACHE_HOME": None, "HOME": None}).succeeded("Hello from a component\n")
    assert ended.err == "", str(ended)


def test_no_cache_leaves_no_entry(t):
    folder, env = own_cache(t)
    t("run", "--no-cache", "@hello", env=env).succeeded("Hello from a component\n")
    assert entries(folder) == []


def test_processes_share_one_cold_cache(t):
    folder, env = own_cache(t)
    processes = [t.start("run", "@hello", env=env) for _ in range(8)]
    for process in processes:
        t.finish(process, b"").succeeded("Hello from a component\n")
    assert len(entries(folder)) == 1, entries(folder)


def test_processes_repair_a_damaged_entry_together(t):
    folder, env, entry = one_entry(t)
    entry.write_bytes(entry.read_bytes()[:-100])
    processes = [t.start("run", "@hello", env=env) for _ in range(8)]
    for process in processes:
        t.finish(process, b"").succeeded("Hello from a component\n")
    assert entries(folder) == [entry]


def test_the_home_folder_has_the_cache_by_default(t):
    home = t.folder / "home"
    home.mkdir()
    t("run", "@hello", env={"XDG_CACHE_HOME": None, "HOME": home}).succeeded()
    assert len(entries(home / ".cache" / "tenon" / "artifacts")) == 1


def test_an_entry_of_another_user_is_not_loaded(t):
    if os.geteuid() != 0:
        raise Skipped("only root can give files away")
    _, env, entry = one_entry(t)
    before = entry.stat().st_ino
    os.chown(entry, 12345, 12345)
    t("run", "@hello", env=env).succeeded("Hello from a component\n")
    assert entry.stat().st_ino != before and entry.stat().st_uid == 0
