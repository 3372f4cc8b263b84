"""wasi:http/outgoing-handler: a guest that asks other servers, and servers that go wrong."""

import socket
import time

from serving import Serving
from upstream import Upstream, certificate, plain


def through(server, url, method="GET", body=None, extra=""):
    with server.client() as client:
        client.request(method, f"/proxy?url={url}{extra}", body=body)
        return client.read_answer()


def serving(t, *options):
    return Serving(t, "@http_web", "--allow-http", "127.0.0.1:*", *options)


def ask(t, answer, extra="", options=()):
    """What the guest says of this answer."""
    with Upstream(answer) as up, serving(t, *options) as server:
        return through(server, f"http://127.0.0.1:{up.port}/x", extra=extra)


def test_a_guest_fetches_and_streams_through(t):
    data = bytes(range(256)) * 2000
    with Upstream(lambda head, body: b"HTTP/1.1 201 Made\r\nX-Up: 1\r\nContent-Length: %d\r\n\r\n%s"
                  % (len(body), body)) as up, serving(t) as server:
        with server.client() as client:
            client.request("POST", f"/proxy?url=http://127.0.0.1:{up.port}/a%3Fb", body=b"x" + data)
            answer = client.read_answer()
        assert answer.status == 201 and answer.field("x-up") == "1", answer
        assert answer.field("x-proxy") == "tenon"
        assert b"x" + data in answer.body.replace(b"\r\n10000\r\n", b"") or len(answer.body) > len(data)
        head = up.heads[0].split("\r\n")
        assert head[0] == "POST /a?b HTTP/1.1" and head[1] == f"Host: 127.0.0.1:{up.port}", head
        assert "x-from: tenon" in head, head


def test_field_names_keep_their_casing_on_their_way_back(t):
    with Upstream(lambda *_: b"HTTP/1.1 200 OK\r\nX-uP: 1\r\ncontent-LENGTH: 2\r\n\r\nhi") as up, serving(t) as server:
        with server.client() as client:
            client.send(f"GET /proxy?url=http://127.0.0.1:{up.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while client.fill():
                pass
            assert b"\r\nX-uP: 1\r\n" in client.buffer, client.buffer
            assert client.buffer.lower().count(b"content-length: 2\r\n") == 1, client.buffer


def test_what_is_not_set_is_left_to_the_host_and_an_answer_comes_once(t):
    # Source: wasi:http/types, `outgoing-request.path-with-query` and `future-incoming-response.get`.
    with Upstream(lambda *_: [0.2, plain("hi")]) as up, serving(t) as server:
        answer = server.get(f"/bare?authority=127.0.0.1:{up.port}")
        assert answer.text == "false true Ok(200) Some(true)\n", answer
        assert up.heads[0].split("\r\n")[0] == "GET / HTTP/1.1", up.heads


def test_connections_are_kept_and_used_again(t):
    with Upstream(lambda *_: plain("hi")) as up, serving(t) as server:
        for _ in range(5):
            assert through(server, f"http://127.0.0.1:{up.port}/").text == "hi"
        assert up.connections == 1, up.connections
        # One that the server closes meanwhile is replaced.
    closing = [False]

    def answer(*_):
        return [plain("hi"), None]

    with Upstream(answer) as up, serving(t) as server:
        for _ in range(5):
            assert through(server, f"http://127.0.0.1:{up.port}/").text == "hi"
        assert up.connections == 5 and not closing[0]


def test_trailers_go_both_ways(t):
    def answer(head, body):
        assert b"x-trailer: t1" in body, body
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Up: t2\r\n\r\n"

    with Upstream(answer) as up, serving(t) as server:
        answer = through(server, f"http://127.0.0.1:{up.port}/", "POST", b"data", "&trailer=t1")
        assert answer.body == b"hi" and answer.trailers == [("x-upstream-trailers", "X-Up: t2")], answer


def test_informational_responses_are_passed_over(t):
    answer = ask(t, lambda *_: b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + plain("hi"))
    assert answer.text == "hi", answer


def test_bodies_until_the_end_of_the_connection_are_read(t):
    assert ask(t, lambda *_: [b"HTTP/1.0 200 OK\r\n\r\nall of it", None]).text == "all of it"


def test_nothing_is_allowed_by_default(t):
    with Upstream(lambda *_: plain("hi")) as up, Serving(t, "@http_web") as server:
        answer = through(server, f"http://127.0.0.1:{up.port}/")
        assert answer.status == 502 and "HttpRequestDenied" in answer.text, answer
        assert through(server, f"http://127.0.0.1:{up.port}/", extra="&pass=1").status == 403
    assert not up.heads


def test_hosts_schemes_and_ports_are_checked(t):
    with Upstream(lambda *_: plain("hi")) as up:
        with Serving(t, "@http_web", "--allow-http", f"http://localhost:{up.port}") as server:
            assert through(server, f"http://localhost:{up.port}/").text == "hi"
            for url in (f"http://127.0.0.1:{up.port}/", f"https://localhost:{up.port}/", "http://localhost:1/"):
                assert "HttpRequestDenied" in through(server, url).text, url
    t("serve", "--allow-http", "ftp://x", "@http_web").refused(125, "ftp://x")


def test_private_addresses_are_refused_unless_named(t):
    with Upstream(lambda *_: plain("hi")) as up:
        urls = [f"http://{host}:{up.port}/" for host in
                ("127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254", "192.168.0.1", "[fe80::1]",
                 "[::ffff:127.0.0.1]", "0.0.0.0", "172.16.0.1")]
        with Serving(t, "@http_web", "--allow-http", "*:*") as server:
            for url in urls:
                answer = through(server, url, extra="&connect=2000")
                assert "DestinationIpProhibited" in answer.text, (url, answer)
        with Serving(t, "@http_web", "--allow-http", "*:*", "--allow-http-private") as server:
            assert through(server, urls[0]).text == "hi"
        assert len(up.heads) == 1


def test_a_refused_connection_is_an_error(t):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with serving(t) as server:
        assert "ConnectionRefused" in through(server, f"http://127.0.0.1:{port}/").text


def test_names_that_do_not_exist_are_an_error(t):
    with Serving(t, "@http_web", "--allow-http", "*:*") as server:
        answer = through(server, "http://no-such-host.invalid/", extra="&connect=20000")
        assert "Dns" in answer.text, answer


def test_timeouts_are_errors(t):
    begin = time.monotonic()
    assert "ConnectionReadTimeout" in ask(t, lambda *_: [60.0], "&first=300").text
    answer = ask(t, lambda *_: [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", 60.0], "&between=300")
    assert answer.status == 200 and answer.body == b"ab" and not answer.whole, answer
    assert time.monotonic() - begin < 20


def test_malformed_responses_are_errors(t):
    for text in (b"rubbish\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\nbad header: x\r\n\r\n", b"HTTP/1.1 200 OK\nX: y\r\n\r\n"):
        assert "HttpProtocolError" in ask(t, lambda *_, text=text: text).text, text
    assert "HttpResponseHeaderSectionSize" in ask(t, lambda *_: b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100000).text
    assert "ConnectionTerminated" in ask(t, lambda *_: None).text
    assert "HttpResponseIncomplete" in ask(t, lambda *_: [b"HTTP/1.1 200 OK\r\nX:", None]).text
    assert "HttpUpgradeFailed" in ask(t, lambda *_: b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n").text
    answer = ask(t, lambda *_: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n")
    assert "HttpResponseTransferCoding" in answer.text, answer


def test_responses_that_break_off_break_off(t):
    answer = ask(t, lambda *_: [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", None])
    assert answer.body == b"half" and not answer.whole, answer
    answer = ask(t, lambda *_: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", None])
    assert answer.body == b"half" and not answer.whole, answer


def test_https_is_checked_against_roots_and_names(t):
    good, other = certificate(t.folder), certificate(t.folder, "other")
    with Upstream(lambda *_: plain("secret"), good) as up, Upstream(lambda *_: plain("no"), other) as wrong:
        options = ["--allow-http", "localhost:*"]
        with Serving(t, "@http_web", *options, "--http-roots", good[0]) as server:
            for _ in range(2):
                assert through(server, f"https://localhost:{up.port}/").text == "secret"
            assert up.connections == 1
            assert "TlsCertificateError" in through(server, f"https://localhost:{wrong.port}/").text
        with Serving(t, "@http_web", *options) as server:
            assert "TlsCertificateError" in through(server, f"https://localhost:{up.port}/").text
        with Upstream(lambda *_: b"") as plain_text, Serving(t, "@http_web", *options) as server:
            answer = through(server, f"https://localhost:{plain_text.port}/", extra="&connect=1000")
            assert "Timeout" in answer.text or "Tls" in answer.text, answer


def test_certificates_for_addresses_are_checked(t):
    v4, v6, other, named = (certificate(t.folder, name) for name in ("127.0.0.1", "::1", "127.0.0.2", "localhost"))
    roots = t.file("roots.pem", "".join(open(pair[0]).read() for pair in (v4, v6, other, named)))
    options = ["--allow-http", "127.0.0.1:*", "--allow-http", "[::1]:*", "--http-roots", str(roots)]
    with Serving(t, "@http_web", *options) as server:
        with Upstream(lambda *_: plain("four"), v4) as up:
            assert through(server, f"https://127.0.0.1:{up.port}/").text == "four"
        with Upstream(lambda *_: plain("six"), v6, "::1") as up:
            assert through(server, f"https://[::1]:{up.port}/").text == "six"
        # For another address, and for a name that means this one.
        for wrong in (other, named, v6):
            with Upstream(lambda *_: plain("no"), wrong) as up:
                assert "TlsCertificateError" in through(server, f"https://127.0.0.1:{up.port}/").text, wrong


def test_a_server_that_does_not_accept_connections_is_an_error(t):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(8):  # until the kernel lets others wait
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        with serving(t) as server:
            begin = time.monotonic()
            answer = through(server, url, extra="&connect=300")
            assert answer.status == 502 and "ConnectionTimeout" in answer.text, answer
            assert through(server, url, extra="&connect=300&pass=1").status == 504
            assert time.monotonic() - begin < 10
        for one in waiting:
            one.close()


def test_a_request_that_is_not_granted_is_told_once_with_the_option(t):
    with Serving(t, "@http_web", "--allow-http", "127.0.0.1:1", "--threads", "2") as server:
        for _ in range(10):
            assert "HttpRequestDenied" in server.get("/proxy?url=http://example.com/").text
            assert "HttpRequestDenied" in server.get("/proxy?url=https://example.com:8443/").text
        server.wait_for(lambda: list(server.lines), lambda lines: sum("to allow it" in x for x in lines) >= 2)
    told = [line for line in server.lines if "to allow it" in line]
    assert len(told) == 2, told
    assert any("--allow-http http://example.com" in line for line in told), told
    assert any("--allow-http https://example.com:8443" in line for line in told), told
