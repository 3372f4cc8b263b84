"""RFC 9110 and RFC 9112 over real connections: what docs/http-conformance.md promises and no other test shows."""

import socket
import ssl
import struct
import time

from serving import Serving
from upstream import Listener, Upstream, certificate, plain

CLOSE = "Connection: close\r\n"


def at_once(server, text):
    """The answer to these bytes, which must not wait for more of them."""
    begin = time.monotonic()
    answer = server.raw(text)
    assert time.monotonic() - begin < 5, text
    return answer


def rest(client):
    """All that comes until the server closes the connection; fails when that is reset."""
    data = client.buffer
    while piece := client.socket.recv(65536):
        data += piece
    return data


# -- The server


def test_bare_line_feeds_are_refused_at_once(t):
    with Serving(t, "@http_web") as server:
        for text in ("GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n", "GET / HTTP/1.1\r\nHost: a\r\n\n", "\n"):
            assert at_once(server, text).status == 400, text
        head = "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for chunks in ("5\nhello\n0\n\n", "5\r\nhello\n", "0\r\n\n"):
            assert "HttpProtocolError" in at_once(server, head + chunks).text, chunks


def test_what_cannot_be_a_request_is_refused_at_its_first_byte(t):
    with Serving(t, "@http_web") as server:
        for text in (b"\x16\x03\x01", b" GET", b"\x00", b"(", b"\xff"):
            assert at_once(server, text).status == 400, text
        assert at_once(server, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200


def test_a_target_of_another_scheme_is_misdirected(t):
    with Serving(t, "@http_web") as server:
        head = "GET {}://shop.example/request HTTP/1.1\r\nHost: a\r\n\r\n"
        assert server.raw(head.format("https")).status == 421
        answer = server.raw(head.format("HTTP"))
        assert answer.status == 200 and "Scheme::Http)" in answer.text and "shop.example" in answer.text, answer
    cert, key = certificate(t.folder)
    context = ssl.create_default_context(cafile=cert)
    with Serving(t, "@http_web", "--tls-cert", cert, "--tls-key", key) as server:
        for scheme, status in (("http", 421), ("https", 200)):
            with server.client(wrap=lambda s: context.wrap_socket(s, server_hostname="localhost")) as client:
                client.send(head.format(scheme))
                assert client.read_answer().status == status, scheme


def test_what_is_too_long_is_named(t):
    with Serving(t, "@http_web", "--max-head", "8K") as server:
        assert server.raw("GET /" + "a" * 9000).status == 414
        assert server.raw("X" * 9000).status == 501
        assert server.raw("GET / HTTP/1.1\r\nX: " + "a" * 9000).status == 431
        assert server.raw("GET /" + "a" * 8000 + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 404


def test_a_refused_head_request_gets_no_content(t):
    with Serving(t, "@http_web", "--max-body", "1") as server:
        for text, status in (("HEAD / HTTP/1.1\r\n\r\n", 400), ("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", 413),
                             ("HEAD /trap HTTP/1.1\r\nHost: a\r\n" + CLOSE + "\r\n", 500)):
            with server.client() as client:
                client.send(text)
                client.socket.shutdown(socket.SHUT_WR)
                answer = client.read_answer(head=True)
                assert answer.status == status and int(answer.field("content-length")) > 0, answer
                assert rest(client) == b"", text


def test_nothing_is_served_behind_a_close_and_its_answer_arrives(t):
    with Serving(t, "@http_web") as server:
        for _ in range(20):
            with server.client() as client:
                client.send("GET / HTTP/1.1\r\nHost: a\r\n" + CLOSE + "\r\n" + "GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2000)
                answer = client.read_answer()
                assert answer.status == 200 and answer.field("connection") == "close", answer
                assert rest(client) == b""


def test_old_clients_are_answered_as_they_understand(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        client.send("GET /ticks?n=2&ms=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = client.read_answer()
        # Of unknown length, so the end of the connection ends it.
        assert answer.field("transfer-encoding") is None and answer.field("connection") == "close", answer
        with server.client() as client:
            client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
            for _ in range(2):
                assert client.read_answer().field("connection") == "keep-alive"
        with server.client() as client:
            client.send("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n")
            assert client.read_answer().field("connection") == "close" and client.at_end()
        with server.client() as client:
            client.send("POST /length HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            time.sleep(0.1)
            client.send("ab")
            answer = client.read_answer()
            assert answer.text == "2 bytes\n" and not answer.informational, answer


def test_host_fields_are_judged(t):
    with Serving(t, "@http_web") as server:
        for lines, status in (("", 400), ("Host: a\r\nHost: a\r\n", 400), ("Host: a b\r\n", 400), ("Host: a@b\r\n", 400),
                              ("Host:\r\n", 200), ("Host: [::1]:80\r\n", 200)):
            assert server.raw(f"GET / HTTP/1.1\r\n{lines}\r\n").status == status, lines
        # That of an absolute target counts, but not in place of one that is malformed.
        assert 'Some("b:81")' in server.raw("GET http://b:81/request HTTP/1.1\r\nHost: a\r\n\r\n").text
        assert server.raw("GET http://b/ HTTP/1.1\r\n\r\n").status == 400


def test_dates_and_status_lines_are_there(t):
    with Serving(t, "@http_web") as server:
        for code in (200, 299, 404, 599):
            with server.client() as client:
                client.request("GET", f"/status?code={code}")
                line = client.line()
                assert line.startswith(f"HTTP/1.1 {code} "), repr(line)
                assert dict(client.read_fields()[0])["date"].endswith(" GMT")
        assert server.get("/nowhere").field("date") and server.raw("x\r\n\r\n").field("date")
        assert server.raw("x\r\n\r\n").field("content-type") == "text/plain; charset=utf-8"


def test_closing_alerts_end_tls_connections(t):
    cert, key = certificate(t.folder)
    context = ssl.create_default_context(cafile=cert)
    with Serving(t, "@http_web", "--tls-cert", cert, "--tls-key", key, "--idle-timeout", "300ms") as server:
        def wrap(plain):
            # With it, an end without an alert is an error.
            return context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)

        for fields in ([("Connection", "close")], []):
            with server.client(wrap=wrap) as client:
                assert client.get("/", fields).status == 200
                assert client.socket.recv(100) == b"", fields
        # A body that breaks off is not ended as if it were whole.
        with server.client(wrap=wrap) as client:
            client.send("GET /trap-in-body HTTP/1.0\r\n\r\n")
            try:
                while client.socket.recv(1000):
                    pass
                raise AssertionError("it ended in order")
            except ssl.SSLError:
                pass


# -- The client


def proxied(t, answer, path="/", **options):
    """What the guest made of an upstream's answer."""
    with Upstream(answer, **options) as upstream:
        with Serving(t, "@http_web", "--allow-http", f"127.0.0.1:{upstream.port}") as server:
            return server.get(f"/proxy?url=http://127.0.0.1:{upstream.port}{path}"), upstream


def test_folded_lines_of_a_response_are_joined(t):
    answer, _ = proxied(t, lambda head, body: plain("ok", "X-A: b\r\n \t c"))
    assert answer.text == "ok" and answer.field("x-a") == "b c", answer


def test_a_response_with_bare_line_feeds_is_an_error_at_once(t):
    begin = time.monotonic()
    answer, _ = proxied(t, lambda head, body: [b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 20])
    assert answer.status == 502 and "HttpProtocolError" in answer.text, answer
    assert time.monotonic() - begin < 15


def test_what_a_server_sends_behind_its_response_is_no_response(t):
    extra = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    with Upstream(lambda head, body: plain("ok") + extra) as upstream:
        with Serving(t, "@http_web", "--allow-http", f"127.0.0.1:{upstream.port}", "--reuse", "9") as server:
            for _ in range(3):
                assert server.get(f"/proxy?url=http://127.0.0.1:{upstream.port}/").text == "ok"
        assert upstream.connections == 3


def test_a_server_that_resets_in_a_body_is_an_error_of_the_guests(t):
    class Resetting(Listener):
        def serve(self, client):
            client.recv(4096)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            client.close()

    with Resetting() as upstream:
        with Serving(t, "@http_web", "--allow-http", f"127.0.0.1:{upstream.port}") as server:
            for _ in range(30):
                server.get(f"/proxy?url=http://127.0.0.1:{upstream.port}/")
            assert not any("host function failed" in record.get("error", "") for record in server.records(30))


def test_an_old_server_is_understood(t):
    answer, _ = proxied(t, lambda head, body: [b"HTTP/1.0 200 OK\r\n\r\nuntil the end", None])
    assert answer.status == 200 and answer.text == "until the end", answer
