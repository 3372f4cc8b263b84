"""`tenon serve`: clients that want more than their share, messages that mislead, and ends in order."""

import contextlib
import multiprocessing
import shutil
import signal
import socket
import ssl
import subprocess
import time

import harness

from serving import Serving
from upstream import Upstream, certificate, plain


def handler(t, name, core):
    """A component that exports wasi:http/incoming-handler@0.2.12, from the text of its core module."""
    texts = t.folder / "handler-wit"
    if not texts.exists():
        shutil.copytree(harness.ROOT / "src/wasi/testing/wit", texts)
        world = texts / "all.wit"
        world.write_text(world.read_text().replace("\n}", "\n  export wasi:http/incoming-handler@0.2.12;\n}"))
    embedded, path = t.folder / f"{name}.core.wasm", t.folder / f"{name}.wasm"
    source = t.file(f"{name}.wat", core)
    harness.wasm_tools("component", "embed", "--all-features", "-w", "all", texts, source, "-o", embedded)
    harness.wasm_tools("component", "new", embedded, "-o", path)
    return path


# -- One that never stops


def flood(port, data, seconds):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
        client.setblocking(False)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                while True:
                    client.send(data)
            with contextlib.suppress(BlockingIOError):
                while client.recv(1 << 20):
                    pass


@contextlib.contextmanager
def flooding(port, data, seconds=6):
    process = multiprocessing.get_context("fork").Process(target=flood, args=(port, data, seconds))
    process.start()
    try:
        yield
        assert process.is_alive(), "the flood ended before it was looked at"
    finally:
        process.terminate()
        process.join()


def waiting(server):
    """How long a request of somebody else takes at most."""
    longest = 0
    for _ in range(5):
        begin = time.monotonic()
        assert server.get("/").status == 200
        longest = max(longest, time.monotonic() - begin)
        time.sleep(0.1)
    return longest


def test_a_client_that_sends_requests_without_end_delays_nobody(t):
    with Serving(t, "@http_web", log="none") as server:
        with flooding(server.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2000):
            time.sleep(0.3)
            assert waiting(server) < 1
        assert server.get("/").status == 200


def test_heads_that_fill_the_buffer_each_delay_nobody(t):
    start = b"GET / HTTP/1.1\r\nHost: a\r\nX: "
    head = start + b"x" * (32768 - len(start) - 4) + b"\r\n\r\n"
    with Serving(t, "@http_web", log="none") as server:
        assert server.raw(head).status == 200
        with flooding(server.port, head * 30):
            time.sleep(0.3)
            assert waiting(server) < 1


def test_a_body_without_end_delays_nobody(t):
    head = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"
    with Serving(t, "@http_web", log="none") as server:
        with flooding(server.port, head + b"x" * (1 << 20)):
            time.sleep(0.3)
            assert waiting(server) < 1


# -- Messages that mislead


def test_targets_that_leave_a_doubt_are_refused(t):
    with Serving(t, "@http_web") as server:
        for target in ("@evil.example/x", "request", "*", "foo?u=http://bar/request", "javascript://foo?bar",
                       "http://u:p@other/request"):
            answer = server.raw(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
            assert answer.status == 400, (target, answer)
        for host in ("a b", "a/..", "u@a", "a:x"):
            assert server.raw(f"GET /request HTTP/1.1\r\nHost: {host}\r\n\r\n").status == 400, host
        assert server.raw("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n").status == 501
        answer = server.raw("GET http://bar:81/request?x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.text.splitlines()[0] == "Method::Get /request?x", answer
        assert 'authority Some("bar:81")' in answer.text, answer
        assert server.raw("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status in (200, 404)


def test_rubbish_behind_a_chunks_size_is_refused(t):
    with Serving(t, "@http_web") as server:
        for chunks, said in (("5 zzz\r\nhello\r\n0\r\n\r\n", "HttpProtocolError"), ("5 ;a\r\nhello\r\n0\r\n\r\n", "5 bytes")):
            answer = server.raw("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
            assert said in answer.text, (chunks, answer)


SPLIT = r"""(module
 (import "wasi:http/types@0.2.12" "[constructor]fields" (func $new (result i32)))
 (import "wasi:http/types@0.2.12" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
 (import "wasi:http/types@0.2.12" "[constructor]outgoing-response" (func $resp (param i32) (result i32)))
 (import "wasi:http/types@0.2.12" "[method]outgoing-response.body" (func $body (param i32 i32)))
 (import "wasi:http/types@0.2.12" "[method]outgoing-body.write" (func $write (param i32 i32)))
 (import "wasi:http/types@0.2.12" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
 (import "wasi:http/types@0.2.12" "[static]response-outparam.set"
   (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
 (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush" (func $w (param i32 i32 i32 i32)))
 (import "wasi:io/streams@0.2.12" "[resource-drop]output-stream" (func $dropS (param i32)))
 (memory (export "memory") 2)
 (data (i32.const 0) "content-length")
 (data (i32.const 100) "x5")
 (data (i32.const 200) "helloHTTP/1.1 200 OK\0d\0aContent-Length: 8\0d\0a\0d\0apoisoned")
 (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
 (func (export "wasi:http/incoming-handler@0.2.12#handle") (param $r i32) (param $o i32)
  (local $f i32) (local $res i32) (local $b i32) (local $s i32)
  (local.set $f (call $new))
  (call $append (local.get $f) (i32.const 0) (i32.const 14) (i32.const 100) (i32.const 1) (i32.const 1000))
  (call $append (local.get $f) (i32.const 0) (i32.const 14) (i32.const 101) (i32.const 1) (i32.const 1000))
  (local.set $res (call $resp (local.get $f)))
  (call $body (local.get $res) (i32.const 1000)) (local.set $b (i32.load (i32.const 1004)))
  (call $write (local.get $b) (i32.const 1000)) (local.set $s (i32.load (i32.const 1004)))
  (call $set (local.get $o) (i32.const 0) (local.get $res) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0))
  (call $w (local.get $s) (i32.const 200) (i32.const 51) (i32.const 1000))
  (call $dropS (local.get $s))
  (call $finish (local.get $b) (i32.const 0) (i32.const 0) (i32.const 1000))))"""


def test_a_guest_cannot_make_two_responses_of_one(t):
    with Serving(t, handler(t, "split", SPLIT)) as server, server.client() as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /victim HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(2):
            answer = client.read_answer()
            # Its second length counts, and it wrote more than that; nothing of it is a response.
            assert answer is None or b"poisoned" not in answer.body, answer
            if not answer or not answer.whole:
                break


# -- 1xx and the ends of bodies


INFORM = r"""(module
 (import "wasi:http/types@0.2.12" "[constructor]fields" (func $new (result i32)))
 (import "wasi:http/types@0.2.12" "[method]response-outparam.send-informational" (func $inf (param i32 i32 i32 i32)))
 (import "wasi:http/types@0.2.12" "[method]incoming-request.consume" (func $consume (param i32 i32)))
 (import "wasi:http/types@0.2.12" "[method]incoming-body.stream" (func $stream (param i32 i32)))
 (import "wasi:http/types@0.2.12" "[constructor]outgoing-response" (func $resp (param i32) (result i32)))
 (import "wasi:http/types@0.2.12" "[static]response-outparam.set"
   (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
 (import "wasi:io/streams@0.2.12" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
 (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
 (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $sd (param i64) (result i32)))
 (memory (export "memory") 2)
 (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
 (func (export "wasi:http/incoming-handler@0.2.12#handle") (param $r i32) (param $o i32)
  (call $inf (local.get $o) (i32.const 103) (call $new) (i32.const 1000))
  (call $block (call $sd (i64.const 300000000)))
  (call $consume (local.get $r) (i32.const 16))
  (call $stream (i32.load (i32.const 20)) (i32.const 32))
  (call $read (i32.load (i32.const 36)) (i64.const 10) (i32.const 64))
  (call $set (local.get $o) (i32.const 0) (call $resp (call $new)) (i32.const 0) (i64.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0))))"""


def test_continue_is_said_after_early_hints_too(t):
    with Serving(t, handler(t, "inform", INFORM)) as server, server.client() as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert client.line().startswith("HTTP/1.1 103 ") and client.line() == ""
        assert client.line() == "HTTP/1.1 100 Continue" and client.line() == ""
        client.send("12345")
        assert client.read_answer().status == 200


INFORM_MUCH = r"""(module
 (import "wasi:http/types@0.2.12" "[constructor]fields" (func $new (result i32)))
 (import "wasi:http/types@0.2.12" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
 (import "wasi:http/types@0.2.12" "[method]response-outparam.send-informational" (func $inf (param i32 i32 i32 i32)))
 (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
 (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $sd (param i64) (result i32)))
 (memory (export "memory") 2)
 (data (i32.const 0) "x-a")
 (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
 (func (export "wasi:http/incoming-handler@0.2.12#handle") (param $r i32) (param $o i32)
  (local $i i32) (local $k i32) (local $f i32)
  (memory.fill (i32.const 2000) (i32.const 0x61) (i32.const 100000))
  (loop $more
   (local.set $f (call $new))
   (local.set $k (i32.const 0))
   (loop $fields
    (call $append (local.get $f) (i32.const 0) (i32.const 3) (i32.const 2000) (i32.const 100000) (i32.const 1000))
    (br_if $fields (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 8))))
   (call $inf (local.get $o) (i32.const 103) (local.get $f) (i32.const 1000))
   (call $block (call $sd (i64.const 10000000)))
   (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 30))))
  (call $block (call $sd (i64.const 3600000000000)))))"""


def test_a_client_that_does_not_read_early_hints_is_cut_off(t):
    with Serving(t, handler(t, "much", INFORM_MUCH), "--stall-timeout", "500ms") as server, server.client() as client:
        client.request("GET", "/")
        begin = time.monotonic()
        records = server.records()
        assert "did not take" in records[0]["error"] and time.monotonic() - begin < 20, records


def test_an_early_answer_to_a_large_upload_arrives(t):
    t.file("large", b"x" * 30_000_000)
    with Serving(t, "@http_web") as server:
        for extra in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect:"]):
            done = subprocess.run(["curl", "-sS", "-i", "--data-binary", f"@{t.folder / 'large'}", *extra, server.url + "/"],
                                  capture_output=True, text=True)
            assert done.returncode == 0 and "Hello from the web" in done.stdout, (extra, done)
        with server.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n")
            answer = client.read_answer()
            assert answer.status == 200 and answer.field("connection") == "close", answer
            assert client.at_end()
        # As much as is dropped leaves the connection open.
        with server.client() as client:
            client.request("POST", "/", body=b"x" * 200_000)
            assert client.read_answer().status == 200
            assert client.get("/").status == 200


# -- Ends


def test_a_client_in_its_handshake_does_not_hold_the_end(t):
    cert, key = certificate(t.folder)
    options = ["--tls-cert", cert, "--tls-key", key, "--shutdown-timeout", "25s"]
    with Serving(t, "@http_web", *options) as server, server.client() as quiet, server.client() as late:
        context = ssl.create_default_context(cafile=cert)
        with server.client(wrap=lambda s: context.wrap_socket(s, server_hostname="localhost")) as one:
            assert one.get("/").status == 200
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
        assert time.monotonic() - begin < 8
        with contextlib.suppress(OSError):
            late.socket = context.wrap_socket(late.socket, server_hostname="localhost")
            raise AssertionError("it was served behind the end")
        assert quiet.at_end()


# -- The log


def test_what_is_no_request_is_logged_as_itself(t):
    with Serving(t, "@http_web", "--header-timeout", "500ms", "--max-head", "8K") as server:
        with server.client() as client:
            assert client.get("/request?first", [("X", "y")]).status == 200
            client.send("GET /x HTTP/1.1\r\nHo")
            assert client.read_answer().status == 408
        with server.client() as client:
            client.send("GET /" + "a" * 9000)
            assert client.read_answer().status == 414
        records = server.records(3)
        assert [record["status"] for record in records[1:]] == [408, 414], records
        for record in records[1:]:
            assert "first" not in str(record) and not record.get("host") and not record.get("target"), record
            assert not record.get("received"), record
        # Its time is the time of its first byte.
        assert 400 < records[1]["ms"] < 5000, records


# -- Upstream servers


def test_informational_responses_without_end_delay_nobody(t):
    endless = b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" * 200_000
    with Upstream(lambda *_: endless) as up, Serving(t, "@http_web", "--allow-http", "127.0.0.1:*") as server:
        answer = server.get(f"/proxy?url=http://127.0.0.1:{up.port}/")
        assert answer.status == 502 and "HttpProtocolError" in answer.text, answer
        assert waiting(server) < 1


def test_connections_that_the_other_server_closes_do_not_stay_open(t):
    def answer(*_):
        return [plain("hi"), None]

    with Serving(t, "@http_web", "--allow-http", "127.0.0.1:*") as server:
        server.get("/")
        before = server.descriptors()
        with contextlib.ExitStack() as stack:
            for _ in range(10):
                up = stack.enter_context(Upstream(answer))
                assert server.get(f"/proxy?url=http://127.0.0.1:{up.port}/").text == "hi"
            server.wait_for(server.descriptors, lambda count: count <= before)
