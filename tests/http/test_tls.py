"""`tenon serve` with TLS."""

import re
import ssl
import subprocess
import time

from serving import Serving
from upstream import certificate


def test_https_is_served(t):
    cert, key = certificate(t.folder)
    with Serving(t, "@http_web", "--tls-cert", cert, "--tls-key", key) as server:
        url = f"https://localhost:{server.port}/request"
        done = subprocess.run(["curl", "-sS", "--cacert", cert, url], capture_output=True, text=True)
        assert done.returncode == 0 and "Scheme::Https" in done.stdout, done
        context = ssl.create_default_context(cafile=cert)
        with server.client(wrap=lambda s: context.wrap_socket(s, server_hostname="localhost")) as client:
            for _ in range(3):
                assert client.get("/").status == 200
            data = b"x" * 1_000_000
            client.request("POST", "/echo", body=data)
            assert client.read_answer().body == data


def test_clients_that_do_not_speak_tls_harm_nobody(t):
    cert, key = certificate(t.folder)
    with Serving(t, "@http_web", "--tls-cert", cert, "--tls-key", key) as server:
        assert server.raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n") is None
        failed = re.compile(r"the TLS handshake with 127\.0\.0\.1:\d+ failed: .*http request")
        server.wait_for(lambda: [line for line in list(server.lines) if failed.search(line)], lambda found: found)
        with server.client() as client:
            client.send(b"\x16\x03\x01")
        context = ssl.create_default_context(cafile=cert)
        with server.client(wrap=lambda s: context.wrap_socket(s, server_hostname="localhost")) as client:
            assert client.get("/").status == 200
        # A client that goes without a word is no failure.
        assert sum("handshake" in line for line in server.lines) == 1, server.lines


def test_a_client_that_distrusts_the_certificate_is_logged(t):
    cert, key = certificate(t.folder)
    with Serving(t, "@http_web", "--tls-cert", cert, "--tls-key", key) as server:
        url = f"https://localhost:{server.port}/"
        assert subprocess.run(["curl", "-sS", url], capture_output=True).returncode == 60
        server.wait_for(lambda: list(server.lines), lambda lines: any("TLS handshake" in line for line in lines))


def test_certificates_that_do_not_fit_are_refused(t):
    cert, key = certificate(t.folder)
    _, other = certificate(t.folder, "other")
    t("serve", "--addr", "127.0.0.1:0", "--tls-cert", cert, "@http_web").refused(125, "key")
    t("serve", "--addr", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", other, "@http_web").refused(125, "TLS")
    nonsense = t.file("nonsense", "nonsense")
    t("serve", "--addr", "127.0.0.1:0", "--tls-cert", nonsense, "--tls-key", key, "@http_web").refused(125, "TLS")


def test_handshakes_that_do_not_end_have_a_limit(t):
    cert, key = certificate(t.folder)
    context = ssl.create_default_context(cafile=cert)
    count = 600

    def secure(server):
        with server.client(wrap=lambda s: context.wrap_socket(s, server_hostname="localhost")) as client:
            return client.get("/")

    with Serving(t, "@http_hello", "--tls-cert", cert, "--tls-key", key, "--max-handshakes", "16") as server:
        assert secure(server).status == 200
        before = server.memory()
        clients = []
        try:
            for _ in range(count):
                clients.append(server.client())
                clients[-1].send(b"\x16\x03\x01\x02\x00\x01\x00")
            server.wait_for(server.descriptors, lambda found: found > count)
            # 64 KiB each would be 38 MB.
            assert t.slow or server.memory() - before < 15_000, server.memory() - before
        finally:
            for client in clients[16:]:
                client.close()
        # Those who go on holding their places are sent away for it.
        begin = time.monotonic()
        assert secure(server).status == 200
        assert time.monotonic() - begin < 8
        for client in clients:
            client.close()


def test_silent_clients_take_no_place_of_handshakes(t):
    cert, key = certificate(t.folder)
    context = ssl.create_default_context(cafile=cert)
    with Serving(t, "@http_hello", "--tls-cert", cert, "--tls-key", key, "--max-handshakes", "2") as server:
        silent = [server.client() for _ in range(20)]
        begin = time.monotonic()
        with server.client(wrap=lambda s: context.wrap_socket(s, server_hostname="localhost")) as client:
            assert client.get("/").status == 200
        assert time.monotonic() - begin < 2
        for client in silent:
            client.close()
