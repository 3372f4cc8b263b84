"""`tenon compile` and the compile cache."""

import os
import shutil
import stat
import subprocess

from harness import Skipped, both_links


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
    t("compile", "--no-shim-elision", "@hello", "-o", "hello.tenon").succeeded("")
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
    t("compile", "@hello").refused(125, "--output is required")
    t("compile", "nowhere.wasm", "-o", "x").refused(127, "nowhere.wasm")
    assert entries(t.folder) == []


def test_compile_writes_to_what_is_there(t):
    t("compile", "@hello", "-o", "hello.tenon").succeeded("")
    whole = (t.folder / "hello.tenon").read_bytes()
    os.mkfifo(t.folder / "pipe")
    reader = subprocess.Popen(["cat", "pipe"], cwd=t.folder, stdout=subprocess.PIPE)
    t("compile", "@hello", "-o", "pipe").succeeded("")
    assert len(reader.communicate(timeout=60)[0]) == len(whole)
    assert stat.S_ISFIFO((t.folder / "pipe").stat().st_mode)
    (t.folder / "link").symlink_to("made/target")
    (t.folder / "made").mkdir()
    for _ in range(2):
        t("compile", "@hello", "-o", "link").succeeded("")
        assert (t.folder / "link").is_symlink() and not (t.folder / "made/target").is_symlink()
        t("run", "made/target").succeeded("Hello from a component\n")
    # Links of the test's own: when this fails, the devices are still there.
    (t.folder / "full").symlink_to("/dev/full")
    t("compile", "@hello", "-o", "full").refused(125, "full: No space left on device")
    (t.folder / "out").symlink_to("/proc/self/fd/1")
    assert len(t("compile", "@hello", "-o", "out").succeeded().raw_out) == len(whole)
    with open(t.folder / "redirected", "wb") as file:
        t("compile", "@hello", "-o", "out", stdout=file).succeeded()
    assert (t.folder / "redirected").stat().st_size == len(whole)
    assert (t.folder / "full").is_symlink() and (t.folder / "out").is_symlink()
    t("compile", "@hello", "-o", "made").refused(125, "made: Is a directory")
    assert sorted(path.name for path in (t.folder / "made").iterdir()) == ["target"]


# -- The cache


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
