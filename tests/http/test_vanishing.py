"""Clients that go away: what their guests do is stopped soon, and nothing of it is left."""

import socket
import ssl
import struct
import time

from serving import Serving
from upstream import certificate


def reset(client):
    raw = client.socket
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def end(client):
    client.close()


def stops(t, target, begun=None, body=None):
    """However the client leaves, the only place for a request is free again long before the guest's time of 60 s
    is up."""
    for leave in (end, reset):
        stops_after(t, target, leave, begun, body)


def stops_after(t, target, leave, begun, body):
    with Serving(t, "@http_web", "--max-requests", "1") as server:
        server.get("/")
        before = server.descriptors()
        for _ in range(2):
            client = server.client()
            client.send(f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {body or 0}\r\n\r\n")
            server.wait_for(lambda: server.get("/"), lambda answer: answer.status == 503)
            if begun:
                while begun not in client.buffer:
                    assert client.fill()
            left = time.monotonic()
            leave(client)
            server.wait_for(lambda: server.get("/"), lambda answer: answer.status == 200)
            assert time.monotonic() - left < 10
        server.wait_for(server.descriptors, lambda count: count <= before)
        gone = server.wait_for(lambda: [r for r in server.parsed() if r["target"] == target], lambda r: len(r) == 2)
        assert all(r["status"] == 499 and "gone" in r["error"] for r in gone), gone


def test_a_guest_that_waits_ends_with_its_client(t):
    stops(t, "/never")


def test_a_guest_that_spins_ends_with_its_client(t):
    stops(t, "/spin")


def test_a_guest_in_the_middle_of_its_response_ends_with_its_client(t):
    stops(t, "/ticks?n=1000&ms=3600000", begun=b"tick 0")


def test_a_guest_that_does_not_read_the_request_ends_with_its_client(t):
    stops(t, "/never", body=1000)


def test_a_client_that_only_stops_sending_gets_its_answer(t):
    with Serving(t, "@http_web") as server:
        for target in ("/sleep?ms=800", "/ticks?n=5&ms=600"):
            with server.client() as client:
                client.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
                client.socket.shutdown(socket.SHUT_WR)
                answer = client.read_answer()
                assert answer.status == 200 and answer.whole, answer


def test_a_guest_goes_on_behind_its_answer(t):
    with Serving(t, "@http_web") as server:
        with server.client() as client:
            assert client.get("/after?ms=1500").text == "answered\n"
        server.wait_for(lambda: list(server.lines), lambda lines: any("after the answer" in x for x in lines))


def test_tls_clients_are_missed_too(t):
    cert, key = certificate(t.folder)
    context = ssl.create_default_context(cafile=cert)
    with Serving(t, "@http_web", "--max-requests", "1", "--tls-cert", cert, "--tls-key", key) as server:
        def client():
            return server.client(wrap=lambda s: context.wrap_socket(s, server_hostname="localhost"))

        def get(target):
            with client() as one:
                return one.get(target)

        gone = client()
        gone.request("GET", "/never")
        server.wait_for(lambda: get("/"), lambda answer: answer.status == 503)
        gone.close()
        server.wait_for(lambda: get("/"), lambda answer: answer.status == 200)


def test_a_body_that_ends_too_early_fails_the_guests_stream(t):
    with Serving(t, "@http_web") as server:
        for head in ("Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"):
            with server.client() as client:
                client.send(f"POST /length HTTP/1.1\r\nHost: a\r\n{head}")
                client.socket.shutdown(socket.SHUT_WR)
                answer = client.read_answer()
                assert answer.status == 200 and "ConnectionTerminated" in answer.text, answer
                assert client.at_end()


def test_what_is_behind_a_body_is_no_part_of_it(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcdef\r\n\r\n")
        assert client.read_answer().text == "3 bytes\n"
        assert client.read_answer().status == 400
        client.socket.shutdown(socket.SHUT_WR)
        assert client.at_end()


def test_rubbish_behind_a_request_harms_only_its_sender(t):
    with Serving(t, "@http_web") as server:
        for rubbish in (b"\x00\xff" * 500, b"GET / HTTP/1.1\r\n\r\n", b"x" * 100_000, b"\r\n\r\n\r\nHELO\r\n\r\n"):
            with server.client() as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3 + rubbish)
                assert [client.read_answer().status for _ in range(3)] == [200] * 3
                client.socket.shutdown(socket.SHUT_WR)
                answer = client.read_answer()
                assert answer is None or answer.status in (400, 501), answer
                assert client.at_end()
        assert server.get("/").status == 200


def test_a_client_that_sends_a_byte_at_a_time_is_served_and_delays_nobody(t):
    with Serving(t, "@http_web", "--header-timeout", "20s", "--stall-timeout", "2s") as server:
        slow = [server.client() for _ in range(20)]
        text = "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nslowly, done"
        for byte in text:
            begin = time.monotonic()
            for client in slow:
                client.send(byte)
            assert server.get("/").status == 200
            assert time.monotonic() - begin < 5
            time.sleep(0.03)
        for client in slow:
            assert client.read_answer().text == "12 bytes\n"
            client.close()


def test_a_body_of_a_byte_at_a_time_ends_with_the_time_of_its_request(t):
    with Serving(t, "@http_web", "--timeout", "1s") as server, server.client() as client:
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        begin = time.monotonic()
        for _ in range(15):
            client.send("x")
            time.sleep(0.1)
        answer = client.read_answer()
        assert answer.status == 504 and time.monotonic() - begin < 10, answer
        assert server.get("/").status == 200
