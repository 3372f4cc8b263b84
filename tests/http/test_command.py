"""`tenon serve` as a command: its words, and where its log goes."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

from serving import Client, Serving
from upstream import certificate


def test_words_that_are_off_are_explained(t):
    t("serve", "--component", "x", "@http_hello").refused(125, "--component is for workloads")
    t("serve", "--reuse", "-1", "@http_hello").refused(125, "--reuse: '-1' is not a number")
    for option in ("--threads", "--max-requests", "--max-headers", "--max-connections", "--reuse"):
        t("serve", option, "0", "@http_hello").refused(125, f"{option}: must be 1 or more")
    t("serve", "--log-file", "/nope/x", "@http_hello").refused(125, "the log /nope/x cannot be opened: No such file")
    t("serve", "--log", "xml", "@http_hello").refused(125, "--log: 'xml' is no format: write text, json or none")
    t("serve", "--tls-cert", "nowhere.pem", "@http_hello").refused(
        125, "--tls-cert: nowhere.pem cannot be read: No such file or directory")
    t.file("empty.pem")
    t("serve", "--tls-cert", "empty.pem", "@http_hello").refused(125, "empty.pem cannot be read: it is empty")
    t.file("wrong.pem", "this is no certificate")
    ended = t("serve", "--tls-cert", "wrong.pem", "--tls-key", "wrong.pem", "@http_hello").refused(125, "TLS")
    assert ended.details == ["  certificate: wrong.pem", "  key: wrong.pem"], str(ended)


def test_help_says_what_holds_without_an_option(t):
    text = t("serve", "--help").succeeded().out
    for option, default in (("--addr", "127.0.0.1:8080"), ("--threads", str(len(os.sched_getaffinity(0)))), ("--reuse", "1"), ("--max-head", "32K"),
                            ("--max-requests", "512"), ("--header-timeout", "15s"), ("--log", "text"),
                            ("--timeout", "60s"), ("--max-memory", "4G")):
        assert re.search(rf"{option} [^ ]*={re.escape(default)}\s", text), (option, text)


def test_a_folder_without_a_manifest_is_no_file_to_serve(t):
    (t.folder / "bare").mkdir()
    t("serve", "bare").refused(126, "bare: this is a directory without a tenon.toml")


def test_a_workload_in_which_nobody_answers_is_refused(t):
    t.file("tenon.toml", f'[components.idle]\nsource = "{t.guest("types")}"\n')
    t("serve", "tenon.toml").refused(
        126, "tenon: tenon.toml: no component of the workload exports wasi:http/incoming-handler: it answers no requests")
    t("serve", "@types").refused(126, "types.wasm: the component does not export wasi:http/incoming-handler")


def test_a_log_that_nobody_reads_stops_no_request(t):
    process = t.start("serve", "--addr", "127.0.0.1:0", t.guest("http_hello"), stderr=subprocess.PIPE)
    try:
        port = int(re.search(rb":(\d+)$", process.stderr.readline().strip())[1])
        # More lines than a pipe and the server keep.
        count = 6000
        with Client(port) as client:
            for _ in range(count):
                assert client.get("/").status == 200
        process.send_signal(signal.SIGTERM)
        lines = process.stderr.read().decode().splitlines()
        assert process.wait(30) == 0, lines[-3:]
        lost = sum(int(line.split()[1]) for line in lines if line.startswith("# "))
        answered = sum(1 for line in lines if "GET / HTTP/1.1" in line)
        assert lost > 0 and lost + answered == count, (lost, answered)
    finally:
        process.kill()
        process.wait()


def test_warnings_that_nobody_reads_stop_nobody(t):
    cert, key = certificate(t.folder)
    process = t.start("serve", "--addr", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, t.guest("http_hello"),
                      stderr=subprocess.PIPE)
    try:
        port = int(re.search(rb":(\d+)$", process.stderr.readline().strip())[1])
        # Each is worth a warning.
        for _ in range(2000):
            with contextlib.suppress(OSError), Client(port) as client:
                client.send("GET / HTTP/1.1\r\nHost: " + "a" * 50 + "\r\n\r\n")
        context = ssl.create_default_context(cafile=cert)
        with Client(port, wrap=lambda s: context.wrap_socket(s, server_hostname="localhost")) as client:
            for _ in range(3000):
                assert client.get("/").status == 200
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        text = process.stderr.read().decode()
        assert process.wait(20) == 0
        assert time.monotonic() - begin < 10
        handshakes = [line for line in text.splitlines() if "TLS handshake" in line or "left out" in line]
        assert any("more warnings were left out" in line for line in handshakes) and len(handshakes) < 500, handshakes[:20]
    finally:
        process.kill()
        process.wait()


def test_guests_that_write_what_nobody_reads_stop_nobody(t):
    process = t.start("serve", "--addr", "127.0.0.1:0", t.guest("http_web"), stderr=subprocess.PIPE)
    try:
        port = int(re.search(rb":(\d+)$", process.stderr.readline().strip())[1])
        with Client(port) as client, Client(port) as other:
            client.request("GET", "/print?n=20000")
            begin = time.monotonic()
            for _ in range(20):
                assert other.get("/").status == 200
            assert time.monotonic() - begin < 2
            # Its lines have a second altogether, not each.
            assert client.read_answer().status == 200
            client.request("GET", "/print?n=20000")
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert time.monotonic() - begin < 10
    finally:
        process.kill()
        process.wait()


def test_what_a_guest_writes_arrives_whole_where_it_is_read(t):
    with Serving(t, "@http_web", "--log-file", "/dev/null") as server:
        assert server.get("/print?n=20000").status == 200
        lines = server.wait_for(lambda: list(server.lines), lambda lines: len(lines) >= 20001)
        assert not any("lost" in line for line in lines)
        # Lines that are too long for the log come in parts.
        assert server.get("/noise?n=100000").status == 200
        noise = server.wait_for(lambda: [x.get("stderr", "") for x in server.objects() if "\x1b" in x.get("stderr", "")],
                                lambda parts: sum(map(len, parts)) >= 100_000)
        assert "".join(noise) == "\x1b" * 100_000


def test_a_log_that_was_renamed_is_opened_anew(t):
    path = t.folder / "access.log"
    with Serving(t, "@http_web", "--log-file", str(path)) as server:
        server.get("/one")
        server.wait_for(path.read_text, lambda text: "/one" in text)
        path.rename(t.folder / "old.log")
        server.get("/two")
        server.wait_for((t.folder / "old.log").read_text, lambda text: "/two" in text)  # after the answer
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(path.exists, bool)
        server.get("/three")
        server.wait_for(path.read_text, lambda text: "/three" in text)
        assert "/two" in (t.folder / "old.log").read_text() and "/two" not in path.read_text()


def ask(client):
    client.send("GET /request HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    return client.read_answer()


class FileClient(Client):
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.buffer = b""


def test_several_addresses_and_sockets_in_files_are_served(t):
    path = t.folder / "web.sock"
    options = ("--addr", "127.0.0.1:0", "--addr", "[::1]:0", "--addr", f"unix:{path}")
    with Serving(t, "@http_web", *options, "--threads", "2") as server:
        line = next(line for line in server.objects() if "serving" in line.get("message", ""))["message"]
        v4, v6, file = line.split(" on ")[1].split(", ")
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", v4) and re.fullmatch(r"http://\[::1\]:\d+", v6), line
        assert file == f"unix:{path}", line
        with Client(int(v4.rsplit(":", 1)[1])) as one, Client(int(v6.rsplit(":", 1)[1]), host="::1") as two:
            assert ask(one).status == 200 and ask(two).status == 200
        with FileClient(path) as three:
            assert ask(three).status == 200
        clients = sorted(record["client"] for record in server.records(3))  # of two threads
        assert clients[0].startswith("127.0.0.1:") and clients[1].startswith("[::1]:") and clients[2] == "unix", clients
        # It is in use.
        t("serve", "--addr", f"unix:{path}", "@http_web").refused(125, "in use")
    assert not path.exists()
    # One that was left over is replaced, another file is not.
    socket.socket(socket.AF_UNIX).bind(str(path))
    with Serving(t, "@http_web", "--addr", "127.0.0.1:0", "--addr", f"unix:{path}"), FileClient(path) as client:
        assert ask(client).status == 200
    path.write_text("mine")
    t("serve", "--addr", f"unix:{path}", "@http_web").refused(125, "in use")
    assert path.read_text() == "mine"
    t("serve", "--addr", "unix:", "@http_web").refused(125, "a path has 1 to 107 bytes")


def test_all_addresses_are_named_and_clients_by_ipv4_are_logged_so(t):
    for address in (":0", "*:0"):
        with Serving(t, "@http_web", "--addr", address) as server:
            assert re.search(r"on http://(\[::\]|0\.0\.0\.0):\d+ \(all addresses\)", server.objects()[0]["message"])
            assert server.get("/").status == 200
            assert server.records()[0]["client"].startswith("127.0.0.1:")


def test_sockets_that_were_handed_over_are_served(t):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    # The variables name the process, so that they are set between fork and exec.
    script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&"$SOCKET"'
    words = ["bash", "-c", script, "bash", t.program, "serve", "--log", "json", t.guest("http_web")]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, env=t.environment({"SOCKET": listener.fileno()}),
                               pass_fds=[listener.fileno()])
    try:
        assert json.loads(process.stderr.readline())["message"].endswith(f" on http://127.0.0.1:{port}")
        listener.close()
        with Client(port) as client:
            assert ask(client).status == 200
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_a_signal_says_what_is_waited_for(t):
    with Serving(t, "@http_web", "--shutdown-timeout", "20s") as server, server.client() as client:
        client.request("GET", "/ticks?n=2&ms=1000")
        while b"tick 0" not in client.buffer:  # the request is in the guest
            assert client.fill()
        server.process.terminate()
        said = server.wait_for(lambda: [x["message"] for x in server.objects() if "stopping" in x.get("message", "")], bool)
        assert said == ["stopping: waiting for 1 request on 1 connection, for at most 20s; another signal cuts them off"]
        assert client.read_answer().text == "tick 0\ntick 1\n"


def test_threads_are_as_many_as_the_process_may_use(t):
    one = min(os.sched_getaffinity(0))
    text = t("serve", "--help", preexec_fn=lambda: os.sched_setaffinity(0, {one})).succeeded().out
    assert re.search(r"--threads [^ ]*=1\s", text), text
