"""A server that says exactly what a test wants, for guests that are clients."""

import socket
import ssl
import subprocess
import threading


class Listener:
    """Accepts connections on `port`, counts them, and gives each to `serve(client)` in a thread of its own, which
    closes it."""

    def __init__(self, host="127.0.0.1"):
        self.connections = 0
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.create_server((host, 0), family=family, backlog=50)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()


class Upstream(Listener):
    """Answers each request with what `answer(head, body)` returns: bytes, or a list of bytes and seconds to wait.

    `None` closes the connection. `heads` has every request's head.
    """

    def __init__(self, answer, certificate=None, host="127.0.0.1"):
        self.answer = answer
        self.heads, self.bodies = [], []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        super().__init__(host)

    def serve(self, client):
        try:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            buffer = b""
            while True:
                while b"\r\n\r\n" not in buffer:
                    data = client.recv(65536)
                    if not data:
                        return
                    buffer += data
                head, buffer = buffer.split(b"\r\n\r\n", 1)
                lines = head.decode().lower().split("\r\n")
                body = b""
                if "transfer-encoding: chunked" in lines:
                    while not buffer.endswith(b"0\r\n\r\n") and b"\r\n0\r\n" not in buffer:
                        buffer += client.recv(65536)
                    body, buffer = buffer, b""
                for line in lines:
                    if line.startswith("content-length: "):
                        size = int(line.split(": ")[1])
                        while len(buffer) < size:
                            buffer += client.recv(65536)
                        body, buffer = buffer[:size], buffer[size:]
                self.heads.append(head.decode())
                self.bodies.append(body)
                answer = self.answer(head.decode(), body)
                if answer is None:
                    return
                for piece in answer if isinstance(answer, list) else [answer]:
                    if isinstance(piece, bytes):
                        client.sendall(piece)
                    elif piece is None:
                        return
                    else:
                        threading.Event().wait(piece)
        except OSError:
            pass
        finally:
            client.close()


def plain(text, *fields):
    head = "".join(f"{field}\r\n" for field in fields)
    return f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(text)}\r\n\r\n{text}".encode()


def certificate(folder, name="localhost"):
    """Files with a self-signed certificate for `name`, a host or an address, and its key."""
    kind = "IP" if name.replace(".", "").isdigit() or ":" in name else "DNS"
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True)
    return str(cert), str(key)
