"""What a program asks for and was not granted is told to people: once, with what would allow it."""

import pathlib

from harness import ROOT

ASK = {
    "addresses": (["@sockets_net", "ask", "example.com:80", "hello"], "--allow-net example.com:PORT"),
    "sockets": (["@sockets_net", "ask", "192.0.2.1:80", "hello"], "--allow-net HOST:PORT"),
}


def notes(ended):
    return [line for line in ended.err.splitlines() if "to allow it: " in line]


def test_network_that_is_not_granted_is_told_once_with_the_option(t):
    for words, option in ASK.values():
        ended = t("run", *words)
        found = notes(ended)
        assert len(found) == 1 and option in found[0], str(ended)
        assert found[0].startswith("tenon: warning: the guest asked for "), str(ended)
    # Something is granted, and not this.
    ended = t("run", "--allow-net", "192.0.2.7:*", "@sockets_net", "ask", "192.0.2.1:80", "hello")
    assert len(notes(ended)) == 1 and "--allow-net 192.0.2.1:80" in notes(ended)[0], str(ended)
    ended = t("run", "--allow-net", "192.0.2.7:*", "@sockets_net", "serve", "127.0.0.1:8080", 1)
    assert len(notes(ended)) == 1 and "--allow-listen 127.0.0.1:8080" in notes(ended)[0], str(ended)


def test_what_is_granted_is_not_told(t):
    # The library of C asks for its directories, whoever wants them.
    for guest in ("@hello", "@c_hello"):
        assert not notes(t("run", guest).succeeded()), f"{guest} wants nothing"
    t.file("note", "content")
    granted = ("--dir", f"{t.folder}::/data")
    assert not notes(t("run", *granted, "@sockets_files", "copy", "/data/note", "/data/copy").succeeded())


def test_directories_that_are_not_granted_are_told_once_with_the_option(t):
    t.file("note", "content")
    ended = t("run", "@sockets_files", "copy", "/data/note", "/data/copy")
    assert len(notes(ended)) == 1 and "--dir HOST::GUEST" in notes(ended)[0], str(ended)
    ended = t("run", "--dir", f"{t.folder}::/data:ro", "@sockets_files", "copy", "/data/note", "/data/copy")
    assert len(notes(ended)) == 1 and "without :ro" in notes(ended)[0], str(ended)


def test_a_component_of_a_workload_is_told_with_the_line_of_its_manifest(t):
    t.file("tenon.toml", f"""
[components.asker]
source = "{t.guest("sockets_net")}"
args = ["ask", "192.0.2.1:80", "hello"]
allow-net = ["192.0.2.7:80"]
""")
    ended = t("run", t.folder)
    found = notes(ended)
    assert len(found) == 1, str(ended)
    assert 'component asker asked' in found[0], str(ended)
    assert 'allow-net = ["192.0.2.1:80"] in [components.asker]' in found[0], str(ended)


def test_a_directory_with_the_cache_is_not_granted_for_writing(t):
    home = t.folder / "home"
    cache = home / ".cache"
    cache.mkdir(parents=True, mode=0o700)
    environment = {"XDG_CACHE_HOME": cache}
    text = ["cannot be given to the guest for writing", str(cache / "tenon/artifacts"), "have native code run"]
    # With the cache, without it, and before there is one.
    for options in ([], ["--no-cache"]):
        for granted in (home, cache, home / ".." / "home"):
            t("run", *options, "--dir", f"{granted}::/data", "@hello", env=environment).refused(
                125, f"the directory '{granted}'", *text)
        t("run", *options, "--dir", f"{home}::/data:ro", "@hello", env=environment).succeeded()
    (t.folder / "link").symlink_to(home)
    t("run", "--dir", f"{t.folder / 'link'}::/data", "@hello", env=environment).refused(125, *text)
    t("run", "--dir", f"{cache}/tenon/artifacts::/data", "@hello", env=environment).refused(125, *text)
    t.file("tenon.toml", f"""
[components.hello]
source = "{t.guest("hello")}"
dirs = [{{ host = "home", guest = "/data" }}]
""")
    t("run", t.folder, env=environment).refused(125, "component hello", *text)
    t("serve", "--addr", "127.0.0.1:0", "--dir", f"{home}::/data", "@http_web", env=environment).refused(125, *text)
    # One beside it is.
    (t.folder / "other").mkdir()
    t("run", "--dir", f"{t.folder / 'other'}::/data", "@hello", env=environment).succeeded()
