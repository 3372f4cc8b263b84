"""`tenon serve`: guests and clients that go wrong. Whatever they do, the next request is served."""

import contextlib
import socket
import struct
import time

from serving import Serving


@contextlib.contextmanager
def surviving(t, *options, guest="@http_web"):
    with Serving(t, guest, *options) as server:
        yield server
        answer = server.get("/")
        assert answer.status == 200, answer


# -- Guests


def test_a_trap_is_a_500_with_the_id_of_the_log(t):
    with surviving(t) as server, server.client() as client:
        answer = client.get("/trap")
        assert answer.status == 500, answer
        record = server.records()[0]
        assert record["id"] in answer.text and "unreachable" in record["error"], (record, answer)
        assert "wasm" in record["details"] or "0:" in record["details"], record
        # The connection is fine.
        assert client.get("/").status == 200


def test_a_trap_after_the_head_before_anything_was_sent_is_a_500(t):
    with surviving(t) as server:
        assert server.get("/trap-after-begin").status == 500


def test_a_trap_in_the_body_ends_the_connection(t):
    with surviving(t) as server, server.client() as client:
        answer = client.get("/trap-in-body")
        assert answer.status == 200 and answer.body == b"half" and not answer.whole, answer
        assert client.at_end()
        assert server.records()[0]["id"]


def test_a_trap_after_the_end_harms_nobody(t):
    with surviving(t) as server:
        answer = server.get("/trap-after-end")
        assert answer.text == "all of it\n" and answer.whole, answer
        assert "unreachable" in server.records()[0]["error"]


def test_a_guest_that_gives_no_answer_is_a_500(t):
    with surviving(t) as server:
        for path in ("/drop", "/return", "/exit", "/error", "/twice", "/overdraw"):
            answer = server.get(path)
            assert answer.status == 500 and "id: " in answer.text, (path, answer)
        assert server.get("/error-timeout").status == 504
        records = server.records(7)
        assert all(record["error"] for record in records), records
        assert "on purpose" in records[3]["error"], records[3]


def test_a_body_that_is_not_finished_breaks_off(t):
    with surviving(t) as server:
        answer = server.get("/unfinished")
        assert answer.status == 200 and answer.body == b"half" and not answer.whole, answer


def test_a_body_of_another_length_than_was_said_breaks_off(t):
    with surviving(t) as server:
        for path in ("/too-long", "/too-short"):
            answer = server.get(path)
            assert answer.status == 200 and not answer.whole, (path, answer)
        server.wait_for(lambda: list(server.lines), lambda lines: any("too-long: true" in line for line in lines))


def test_a_guest_that_spins_or_waits_is_a_504(t):
    with surviving(t, "--timeout", "300ms") as server:
        for path in ("/spin", "/never"):
            begin = time.monotonic()
            answer = server.get(path)
            assert answer.status == 504 and "id: " in answer.text, answer
            assert time.monotonic() - begin < 5
        assert "deadline" in server.records(2)[0]["error"]


def test_a_guest_that_spins_does_not_stop_others(t):
    with surviving(t, "--timeout", "3s") as server, server.client() as spinning:
        spinning.request("GET", "/spin")
        begin = time.monotonic()
        for _ in range(5):
            assert server.get("/").status == 200
        assert time.monotonic() - begin < 2
        assert spinning.read_answer().status == 504


def test_a_guest_that_allocates_without_end_is_a_500(t):
    with surviving(t, "--max-memory", "32M") as server:
        assert server.get("/allocate").status == 500


def test_a_parent_that_goes_before_its_children_is_a_trap(t):
    # Source: wasi:http/types: "Dropping this before all children are dropped will trap".
    expected = {"/orphan-headers": "the resource 'incoming-request' was dropped before its children",
                "/orphan-stream": "the handle is no incoming-body whose children were dropped before",
                "/orphan-body": "the resource 'outgoing-body' was dropped before its children"}
    with surviving(t) as server:
        for path in expected:
            assert server.get(path).status == 500, path
        for record in server.records(3):
            assert expected[record["target"]] in record["error"], record


def test_fields_are_checked(t):
    with surviving(t) as server:
        lines = server.get("/forbidden").text.splitlines()
        assert lines[:3] == [f"{name}: Err(HeaderError::Forbidden)"
                             for name in ("connection", "transfer-encoding", "host")], lines
        assert lines[3:5] == ["bad name: Err(HeaderError::InvalidSyntax)",
                              "x-ok: Err(HeaderError::InvalidSyntax)"], lines
        assert lines[5:] == ["x-ok: Ok(())", "immutable: Err(HeaderError::Immutable)"], lines


# -- Clients


MALFORMED = [
    "GET /\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",  # no Host
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / http/1.1\r\nHost: a\r\n\r\n",
    "G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /#fragment HTTP/1.1\r\nHost: a\r\n\r\n",
]


def test_malformed_requests_are_refused_and_end_the_connection(t):
    with surviving(t) as server:
        for text in MALFORMED:
            with server.client() as client:
                client.send(text)
                answer = client.read_answer()
                assert answer and answer.status == 400, (text, answer)
                client.socket.shutdown(socket.SHUT_WR)
                assert client.at_end(), text
        assert server.raw("GET / HTTP/2.0\r\nHost: a\r\n\r\n").status == 505
        text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
        assert server.raw(text).status == 501
        assert len(server.records(len(MALFORMED) + 2)) == len(MALFORMED) + 2


def test_large_heads_are_refused(t):
    with surviving(t, "--max-head", "8K", "--max-headers", "20") as server:
        assert server.get("/", [("X", "y" * 7000)]).status == 200
        assert server.get("/", [("X", "y" * 9000)]).status == 431
        assert server.get("/" + "a" * 9000).status == 414
        assert server.get("/", [(f"X-{i}", "y") for i in range(30)]).status == 431
        with server.client() as client:  # a head without end
            with contextlib.suppress(OSError):
                for _ in range(1000):
                    client.send("X" * 1000)
            answer = client.read_answer()
            assert answer is None or answer.status == 501, answer


def test_malformed_chunks_fail_the_guests_stream(t):
    with surviving(t) as server:
        for chunks in ("z\r\n", "5\r\nab\r\n0\r\n\r\n", "-1\r\n", "fffffffffffffffff\r\n", "1 x\x01\r\na\r\n", "1 \r\na\r\n", "1\na\n",
                       "1\r\na\r\n0\r\nbad name: x\r\n\r\n"):
            with server.client() as client:
                client.send("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
                client.socket.shutdown(socket.SHUT_WR)
                answer = client.read_answer()
                assert answer.status == 200 and "HttpProtocolError" in answer.text, (chunks, answer)
                assert client.at_end()


def test_large_bodies_are_refused(t):
    with surviving(t, "--max-body", "1K") as server:
        assert server.post("/length", b"x" * 1024).text == "1024 bytes\n"
        assert server.post("/length", b"x" * 1025).status == 413
        with server.client() as client:
            client.send("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send(b"800\r\n" + b"x" * 2048 + b"\r\n0\r\n\r\n")
            assert "HttpRequestBodySize" in client.read_answer().text


def test_slow_heads_are_a_408(t):
    with surviving(t, "--header-timeout", "500ms") as server, server.client() as client:
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in "GET / HTTP/1.1\r\nHost: a\r\n":
                client.send(byte)
                time.sleep(0.05)
        assert client.read_answer().status == 408
        assert time.monotonic() - begin < 5


def test_idle_connections_are_closed(t):
    with surviving(t, "--idle-timeout", "300ms") as server, server.client() as client:
        assert client.get("/").status == 200
        assert client.at_end()


def test_slow_bodies_time_out(t):
    with surviving(t, "--stall-timeout", "500ms") as server, server.client() as client:
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        answer = client.read_answer()
        assert "ConnectionReadTimeout" in answer.text, answer


def test_clients_that_do_not_read_are_cut_off(t):
    with surviving(t, "--stall-timeout", "500ms") as server, server.client() as client:
        client.request("GET", "/bytes?n=1000000000")
        records = server.records()
        assert "did not take" in records[0]["error"], records


def test_clients_that_vanish_in_a_request_leave_nothing(t):
    with surviving(t) as server:
        server.get("/")
        before = server.descriptors()
        for _ in range(50):
            client = server.client()
            client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
            client.close()
        for _ in range(50):
            client = server.client()
            client.send("GET / HTT")
            client.close()
        server.wait_for(server.descriptors, lambda count: count <= before)


def test_clients_that_vanish_in_a_response_leave_nothing(t):
    with surviving(t) as server:
        server.get("/")
        before = server.descriptors()
        for _ in range(20):
            client = server.client()
            client.request("GET", "/bytes?n=100000000")
            client.take(1000)
            # A reset rather than an end.
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        server.wait_for(server.descriptors, lambda count: count <= before)
        assert all(record["status"] == 499 for record in server.records(21)[1:21])


def test_requests_beyond_the_limit_get_a_503(t):
    with surviving(t, "--max-requests", "2") as server:
        with server.client() as one, server.client() as two, server.client() as three:
            for client in (one, two):
                client.request("GET", "/ticks?n=2&ms=1000")
                while b"tick 0" not in client.buffer:  # the request is in the guest
                    assert client.fill()
            answer = three.get("/")
            assert answer.status == 503 and answer.field("retry-after") == "1", answer
            assert one.read_answer().status == 200 and two.read_answer().status == 200
            assert three.get("/").status == 200


def test_connections_beyond_the_limit_get_a_503(t):
    with surviving(t, "--max-connections", "2") as server:
        with server.client() as one, server.client() as two:
            assert one.get("/").status == 200 and two.get("/").status == 200
            with server.client() as three:
                answer = three.read_answer()
                assert answer.status == 503 and answer.field("retry-after") == "1", answer
                assert three.at_end()
        server.wait_for(lambda: server.get("/"), lambda answer: answer and answer.status == 200)


def test_a_mixed_load_leaves_nothing_over(t):
    with surviving(t, "--timeout", "2s", "--max-memory", "64M", "--log-file", "/dev/null") as server:
        paths = ["/", "/trap", "/drop", "/echo", "/bytes?n=100000", "/unfinished", "/trap-in-body", "/exit", "/trailers"]

        def load(rounds):
            for _ in range(rounds):
                for path in paths:
                    with contextlib.suppress(OSError):
                        server.get(path)
                with contextlib.suppress(OSError):
                    server.raw("rubbish\r\n\r\n")

        load(30)
        memory, descriptors = server.memory(), server.descriptors()
        load(100)
        server.wait_for(server.descriptors, lambda count: count <= descriptors)
        assert t.slow or server.memory() - memory < 8_000, (memory, server.memory())
