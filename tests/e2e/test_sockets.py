"""wasi:sockets: programs that talk by TCP and UDP through std::net, and what stops them."""

import contextlib
import pathlib
import re
import resource
import socket
import threading
import time

from harness import ROOT, Skipped, both_links, wasm_tools

LISTEN = ("--allow-listen", "127.0.0.1:0")
NET = ("--allow-net", "127.0.0.1:*")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


@contextlib.contextmanager
def serving(t, *words):
    """A guest that listens: (process, port)."""
    process = t.start("run", *words)
    try:
        line = process.stdout.readline().decode()
        assert line.startswith("listening "), f"{line!r}, {process.stderr.read1()!r}"
        yield process, int(line.split()[1])
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def echo_server(family=socket.AF_INET, host="127.0.0.1"):
    """A host's program that sends back what it gets: its port."""

    def echo(connection):
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()

    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


# -- TCP


@both_links
def test_a_server_answers_its_clients_one_after_the_other(t):
    with serving(t, *LISTEN, "@sockets_net", "serve", "127.0.0.1:0", 3) as (process, port):
        for text in (b"first", b"second" * 100_000, b""):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                sender = threading.Thread(target=lambda: (client.sendall(text), client.shutdown(socket.SHUT_WR)))
                sender.start()
                back = b""
                while data := client.recv(65536):
                    back += data
                sender.join()
                assert back == text, f"{len(back)} of {len(text)} bytes"
        t.finish(process).succeeded("5 bytes\n600000 bytes\n0 bytes\n")


@both_links
def test_a_client_gets_its_answer(t):
    with echo_server() as port:
        t("run", *NET, "@sockets_net", "ask", f"127.0.0.1:{port}", "hello").succeeded("hello\n")


def test_two_guests_talk_to_each_other(t):
    with serving(t, *LISTEN, "@sockets_net", "serve", "127.0.0.1:0", 1) as (process, port):
        t("run", *NET, "@sockets_net", "ask", f"127.0.0.1:{port}", "from guest to guest").succeeded(
            "from guest to guest\n")
        t.finish(process).succeeded("19 bytes\n")


def test_ipv6_works_as_ipv4_does(t):
    if not has_ipv6():
        raise Skipped("this machine has no IPv6")
    with serving(t, "--allow-listen", "[::1]:0", "@sockets_net", "serve", "[::1]:0", 1) as (process, port):
        t("run", "--allow-net", f"[::1]:{port}", "@sockets_net", "ask", f"[::1]:{port}", "six").succeeded("six\n")
    with serving(t, "--allow-listen", "[::1]:0", "@sockets_net", "udp-serve", "[::1]:0", 1) as (process, port):
        t("run", "--allow-net", f"[::1]:{port}", "@sockets_net", "udp-ask", f"[::1]:{port}", "six").succeeded("six\n")


def test_a_large_stream_goes_both_ways(t):
    with echo_server() as port:
        t("run", *NET, "@sockets_net", "stream", f"127.0.0.1:{port}", 64).succeeded("64 MiB\n")


def test_a_program_that_does_not_block_polls(t):
    with serving(t, *LISTEN, "@sockets_net", "poll-serve", "127.0.0.1:0") as (process, port):
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b"1234")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(10) == b"1234"
        t.finish(process).succeeded("4 bytes, polled\n")


def test_addresses_and_options_are_told(t):
    with echo_server() as port:
        out = t("run", *NET, "@sockets_net", "ends", f"127.0.0.1:{port}").succeeded().out
        first, second = out.splitlines()
        local, remote = first.split()
        assert local.startswith("127.0.0.1:") and remote == f"127.0.0.1:{port}", out
        assert second == "ttl 42", out


def test_a_waiting_program_costs_no_time_and_ends_with_its_peer(t):
    def cpu(seconds):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            process = t.start("run", *NET, "@sockets_net", "idle", f"127.0.0.1:{listener.getsockname()[1]}")
            peer, _ = listener.accept()
            assert process.stdout.readline() == b"connected\n"
            time.sleep(seconds)
            peer.close()
            return t.finish(process).succeeded("0 bytes\n").cpu

    cpu(0)  # compiled from here on
    start, waited = cpu(0), cpu(1)
    assert t.slow or waited < start + 0.3, (start, waited)


def test_a_timeout_stops_a_program_that_waits_for_a_peer(t):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        t("run", "--timeout", "300ms", *NET, "@sockets_net", "ask", address, "x").exited(124)
        t("run", "--timeout", "300ms", *LISTEN, "@sockets_net", "serve", "127.0.0.1:0", 1).exited(124)


def test_what_a_program_wrote_last_arrives_after_its_end(t):
    """More than the kernel takes at once, to a peer that reads late."""
    received = []

    def read_late(listener):
        connection, _ = listener.accept()
        with connection:
            time.sleep(0.5)
            total = 0
            while data := connection.recv(65536):
                total += len(data)
            received.append(total)

    text = "x" * 120_000
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader = threading.Thread(target=read_late, args=(listener,))
        reader.start()
        t("run", *NET, "@sockets_net", "ask", f"127.0.0.1:{listener.getsockname()[1]}", text).succeeded("\n")
        reader.join(60)
    assert received == [len(text)], received


# -- UDP


@both_links
def test_datagrams_are_answered(t):
    with serving(t, *LISTEN, "@sockets_net", "udp-serve", "127.0.0.1:0", 2) as (process, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(60)
            client.sendto(b"anybody", ("127.0.0.1", port))
            assert client.recvfrom(100) == (b"anybody", ("127.0.0.1", port))
        t("run", *NET, "@sockets_net", "udp-ask", f"127.0.0.1:{port}", "ping").succeeded("ping\n")
        t.finish(process).succeeded("")


def test_datagrams_tell_where_they_come_from(t):
    with serving(t, *LISTEN, "@sockets_net", "udp-serve", "127.0.0.1:0", 1) as (_, port):
        t("run", *NET, "@sockets_net", "udp-send", f"127.0.0.1:{port}", "ping").succeeded(
            f"ping from 127.0.0.1:{port}\n")


# -- What is granted


@both_links
def test_nothing_is_reached_without_a_grant(t):
    with echo_server() as port:
        address = f"127.0.0.1:{port}"
        for words in (["ask", address, "x"], ["udp-ask", address, "x"], ["serve", "127.0.0.1:0", 1],
                      ["udp-serve", "127.0.0.1:0", 1], ["resolve", "localhost"]):
            ended = t("run", "@sockets_net", *words).exited(1)
            assert ended.out == "PermissionDenied\n", str(ended)


def test_a_grant_is_for_its_addresses_and_ports(t):
    with echo_server() as port:
        address = f"127.0.0.1:{port}"
        for grant in (address, f"127.0.0.0/8:{port}", f"*:{port}", "*:*", f"127.0.0.1:{port - 1}-{port + 1}"):
            t("run", "--allow-net", grant, "@sockets_net", "ask", address, "in").succeeded("in\n")
        for grant in (f"127.0.0.2:{port}", f"10.0.0.0/8:{port}", f"127.0.0.1:{port + 1}", f"[::1]:{port}"):
            ended = t("run", "--allow-net", grant, "@sockets_net", "ask", address, "in").exited(1)
            assert ended.out == "PermissionDenied\n", str(ended)
        two = ("--allow-net", "10.0.0.1:1", "--allow-net", address)
        t("run", *two, "@sockets_net", "ask", address, "in").succeeded("in\n")


def test_listening_and_connecting_are_granted_apart(t):
    ended = t("run", *NET, "@sockets_net", "serve", "127.0.0.1:0", 1).exited(1)
    assert ended.out == "PermissionDenied\n", str(ended)
    with echo_server() as port:
        ended = t("run", *LISTEN, "@sockets_net", "ask", f"127.0.0.1:{port}", "x").exited(1)
        assert ended.out == "PermissionDenied\n", str(ended)
    ended = t("run", *LISTEN, "@sockets_net", "serve", "0.0.0.0:0", 1).exited(1)
    assert ended.out == "PermissionDenied\n", str(ended)


def test_a_name_is_granted_with_the_addresses_it_leads_to(t):
    with echo_server() as port:
        t("run", "--allow-net", f"localhost:{port}", "@sockets_net", "ask", f"localhost:{port}", "by name").succeeded(
            "by name\n")
        # The name was granted, the address was not: nobody looked the name up.
        ended = t("run", "--allow-net", f"localhost:{port}", "@sockets_net", "ask", f"127.0.0.1:{port}", "x").exited(1)
        assert ended.out == "PermissionDenied\n", str(ended)
    ended = t("run", "--allow-net", "localhost:1", "@sockets_net", "resolve", "localhost").succeeded()
    assert set(ended.out.split()) <= {"127.0.0.1", "::1"} and ended.out, str(ended)
    ended = t("run", "--allow-net", "localhost:1", "@sockets_net", "resolve", "example.com").exited(1)
    assert ended.out == "PermissionDenied\n", str(ended)


def test_a_name_beyond_ascii_is_the_name_that_idna_makes_of_it(t):
    wide = "ｌｏｃａｌｈｏｓｔ"
    with echo_server() as port:
        for grant, name in ((wide, "localhost"), ("localhost", wide), (wide, wide)):
            t("run", "--allow-net", f"{grant}:{port}", "@sockets_net", "ask", f"{name}:{port}", "x").succeeded("x\n")
    for grant, name, kind in (("bücher.example", "xn--bcher-kva.example", None), ("*:1", "bücher.example", None),
                              ("localhost", "bücher.example", "PermissionDenied\n")):
        ended = t("run", "--allow-net", f"{grant}:1" if ":" not in grant else grant, "@sockets_net", "resolve", name).exited(1)
        assert ended.out == kind or (kind is None and ended.out not in ("PermissionDenied\n", "InvalidInput\n")), str(ended)


def test_a_name_that_leads_inside_opens_nothing(t):
    """As when somebody's name server answers with an address of the inner network."""
    name = next((line.split()[1] for line in pathlib.Path("/etc/hosts").read_text().splitlines()
                 if line.startswith("127.") and line.split()[1] != "localhost"), None)
    if not name:
        raise Skipped("no other name for this machine in /etc/hosts")
    with echo_server() as port:
        grant = ("--allow-net", f"{name}:{port}")
        ended = t("run", *grant, "@sockets_net", "ask", f"{name}:{port}", "x").exited(1)
        assert ended.out == "PermissionDenied\n", str(ended)
        t("run", *grant, *NET, "@sockets_net", "ask", f"{name}:{port}", "x").succeeded("x\n")


def test_what_is_no_grant_is_refused(t):
    t("run", "--allow-net", "example.com", "@hello").refused(125, "'example.com' is no network grant", "':PORT'")
    t("run", "--allow-net", "10.0.0.1/8:80", "@hello").refused(125, "outside of its range")
    t("run", "--allow-listen", "localhost:80", "@hello").refused(125, "'localhost' is no IP address")


# -- Faults


def test_a_port_in_use_is_told(t):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        ended = t("run", "--allow-listen", address, "@sockets_net", "serve", address, 1).exited(1)
        assert ended.out == "AddrInUse\n", str(ended)


def test_nobody_at_home_is_told(t):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and does not listen
        ended = t("run", *NET, "@sockets_net", "ask", f"127.0.0.1:{free.getsockname()[1]}", "x").exited(1)
    assert ended.out == "ConnectionRefused\n", str(ended)


def test_a_peer_that_vanishes_is_told(t):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = t.start("run", *NET, "@sockets_net", "idle", f"127.0.0.1:{listener.getsockname()[1]}")
        peer, _ = listener.accept()
        assert process.stdout.readline() == b"connected\n"
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        peer.close()  # a reset
        ended = t.finish(process).exited(1)
        assert "bytes" not in ended.out, str(ended)  # wasi-libc has one error for all streams


def test_too_many_open_files_are_an_error_of_the_program(t):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    ended = t("run", *LISTEN, "@sockets_net", "serve", "127.0.0.1:0", 0, preexec_fn=limit)
    assert ended.code in (0, 1, 125), str(ended)  # no crash


# -- Versions of WASI


MIXED = """(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.{first}" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $p (eq $outer)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:random/random@0.2.{second}" (instance $random
    (export "get-random-u64" (func (result u64)))))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $random64 (canon lower (func $random "get-random-u64")))
  (core func $drop (canon resource.drop $pollable))
  (core module $m
    (import "h" "block" (func $block (param i32)))
    (import "h" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "h" "random" (func $random (result i64)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "run") (result i32)
      (local $p i32)
      (drop (call $random))
      (local.set $p (call $subscribe (i64.const 1000000)))
      (call $block (local.get $p))
      (call $drop (local.get $p))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "h" (instance
    (export "block" (func $block))
    (export "subscribe" (func $subscribe))
    (export "random" (func $random64))
    (export "drop" (func $drop))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $export (export "run" (func $run)))
  (export "wasi:cli/run@0.2.{third}" (instance $export)))
"""


@both_links
def test_imports_of_different_versions_share_their_resources(t):
    """A pollable of one version of wasi:clocks is blocked on by another version's wasi:io."""
    for first, second, third in ((0, 0, 0), (6, 3, 0), (12, 1, 12), (0, 12, 4), (99, 7, 2)):
        text = MIXED.replace("{first}", str(first)).replace("{second}", str(second)).replace("{third}", str(third))
        t("run", t.component("mixed", text)).succeeded("")


def test_every_function_of_every_version_is_there_with_its_type(t):
    """The texts of the newest version, with the number of another one: 0.2 only ever grew."""
    texts = ROOT / "src/wasi/testing/wit"
    for patch in (0, 1, 3, 6, 9, 12):
        folder = t.folder / f"wit{patch}"
        for path in texts.rglob("*.wit"):
            text = re.sub(r"@(since|deprecated)\(version = [0-9.]+\)", "", path.read_text()).replace("0.2.12", f"0.2.{patch}")
            if path.name == "all.wit":
                text = text.replace("\n}", f"\n  export wasi:cli/run@0.2.{patch};\n}}")
            (folder / path.relative_to(texts)).parent.mkdir(parents=True, exist_ok=True)
            (folder / path.relative_to(texts)).write_text(text)
        core, component = t.folder / "core.wasm", t.folder / f"all{patch}.wasm"
        wasm_tools("component", "embed", "--dummy-names", "legacy", "--all-features", "-w", "all", folder, "-o", core)
        wasm_tools("component", "new", core, "-o", component)
        # It does nothing but trap, once everything that it imports was found.
        t("run", component).exited(134)
