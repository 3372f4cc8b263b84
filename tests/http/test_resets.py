"""Peers that reset the connection, at every step of a message: a guest gets an error value, nobody else notices."""

import socket
import struct
import time

from serving import Serving
from upstream import Listener

RESET = struct.pack("ii", 1, 0)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


class Resetting(Listener):
    """An upstream that sends `pieces`, `pause` seconds apart, and resets the connection then. `read` False: without
    having read the request."""

    def __init__(self, pieces, pause, read=True):
        self.pieces, self.pause, self.read = pieces, pause, read
        super().__init__()

    def serve(self, client):
        try:
            buffer = b""
            while self.read and b"\r\n\r\n" not in buffer:
                buffer += client.recv(65536)
            for piece in self.pieces:
                client.sendall(piece)
                time.sleep(self.pause)
        except OSError:
            pass
        finally:
            reset(client)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\n\r\n"

# What an upstream has sent when it resets.
RESPONSES = {
    "nothing": [],
    "part of a head": [b"HTTP/1.1 2"],
    "part of a field": [b"HTTP/1.1 200 OK\r\nContent-"],
    "an interim response": [b"HTTP/1.1 103 Early Hints\r\n\r\n"],
    "a head": [HEAD],
    "a head with a part of a body": [HEAD + b"abc"],
    "a head, then a part of a body": [HEAD, b"abc"],
    "a body, part by part": [HEAD, b"abc", b"def", b"ghi"],
    "a head of chunks": [CHUNKED],
    "part of a chunk's size": [CHUNKED + b"1"],
    "a chunk's size": [CHUNKED, b"10\r\n"],
    "part of a chunk": [CHUNKED + b"10\r\nabc"],
    "a chunk": [CHUNKED + b"3\r\nabc", b"\r\n"],
    "the last chunk": [CHUNKED + b"3\r\nabc\r\n0\r\n"],
    "part of trailers": [CHUNKED + b"3\r\nabc\r\n0\r\n", b"X-A: b\r\n"],
    "a body that the end ends": [UNTIL_CLOSE, b"abc"],
}


def unharmed(server):
    """Nothing came out of a library."""
    assert not [line for line in server.lines if "host function" in line], server.lines[-20:]
    assert server.get("/").status == 200


def test_an_upstream_that_resets_is_an_error_value_for_the_guest(t):
    allowed = ["--allow-http", "127.0.0.1:*"]
    with Serving(t, "@http_web", *allowed) as server:
        for name, pieces in RESPONSES.items():
            for pause in (0, 0.03):
                with Resetting(pieces, pause) as upstream:
                    for _ in range(4):
                        answer = server.get(f"/proxy?url=http://127.0.0.1:{upstream.port}/")
                        # An error before the head is told as such; afterwards the response breaks off.
                        assert answer is None or answer.status in (200, 502), f"{name}: {answer}"
                        begun = answer is not None and answer.status == 200
                        assert not begun or not answer.whole or name == "a body that the end ends", f"{name}: {answer}"
                        if not begun and answer is not None:
                            assert "ErrorCode" in answer.text, f"{name}: {answer}"
        unharmed(server)


def test_an_upstream_that_resets_instead_of_reading_is_an_error_value_for_the_guest(t):
    with Serving(t, "@http_web", "--allow-http", "127.0.0.1:*") as server:
        for pause in (0, 0.02):
            with Resetting([b""], pause, read=False) as upstream:
                for body in (b"", b"x" * 1_000_000):
                    for _ in range(4):
                        target = f"/proxy?url=http://127.0.0.1:{upstream.port}/"
                        answer = server.post(target, body)
                        assert answer is None or answer.status in (200, 502), answer
        unharmed(server)


# What a client has sent when it resets.
REQUESTS = {
    "nothing": [],
    "part of a head": [b"GET / HT"],
    "a head without a body": [b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"],
    "part of a body": [b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"],
    "a body, part by part": [b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n", b"abc", b"def"],
    "part of a chunk": [b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"],
    "a chunk": [b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n"],
    "part of trailers": [b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX:"],
    "a request": [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    "a request for much": [b"GET /bytes?n=50000000 HTTP/1.1\r\nHost: a\r\n\r\n"],
    "a request for what comes slowly": [b"GET /ticks?n=100&ms=20 HTTP/1.1\r\nHost: a\r\n\r\n"],
    "a proxied request": [b"GET /proxy?url=http://127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\n\r\n"],
    "two requests": [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2 + b"GET /"],
}


def test_a_client_that_resets_harms_no_guest(t):
    with Serving(t, "@http_web", "--allow-http", "127.0.0.1:*") as server:
        before = server.get("/") and server.descriptors()
        for name, pieces in REQUESTS.items():
            for pause in (0, 0.03):
                for read in (0, 10):
                    for _ in range(3):
                        client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
                        try:
                            for piece in pieces:
                                client.sendall(piece)
                                time.sleep(pause)
                            if read and b"GET" in b"".join(pieces) and name != "part of a head":
                                client.recv(read)
                        except OSError:
                            pass
                        reset(client)
            assert server.get("/").status == 200, name
        unharmed(server)
        server.wait_for(server.descriptors, lambda count: count <= before)
