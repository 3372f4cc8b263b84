"""A `tenon serve` under test, and clients that say exactly what they send."""

import contextlib
import functools
import json
import os
import re
import resource
import signal
import socket
import threading
import time

PATIENCE = 30


class Late(AssertionError):
    """It took longer than it may."""


def best_of_three(measure):
    """Measures again what was late: a guest that holds others does so each time, a busy machine only sometimes."""

    @functools.wraps(measure)
    def run(*arguments, **options):
        for _ in range(2):
            with contextlib.suppress(Late):
                return measure(*arguments, **options)
        return measure(*arguments, **options)

    return run


class Answer:
    """A response as it was read from a socket."""

    def __init__(self, status, fields, body, trailers, whole, informational):
        self.status, self.fields, self.body = status, fields, body
        self.trailers, self.whole, self.informational = trailers, whole, informational

    def field(self, name):
        values = [value for key, value in self.fields if key == name.lower()]
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:300]!r} whole={self.whole}"


class Client:
    """One connection."""

    def __init__(self, port, host="127.0.0.1", wrap=None):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE)
        if wrap:
            self.socket = wrap(self.socket)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def request(self, method, target, fields=(), body=None):
        text = f"{method} {target} HTTP/1.1\r\nHost: test\r\n"
        text += "".join(f"{name}: {value}\r\n" for name, value in fields)
        if body is not None:
            text += f"Content-Length: {len(body)}\r\n"
        self.send(text.encode() + b"\r\n" + (body or b""))

    def get(self, target, fields=()):
        self.request("GET", target, fields)
        return self.read_answer()

    def fill(self):
        """More bytes; False at the end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                return None
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def take(self, count):
        """`count` bytes, or fewer at the end."""
        while len(self.buffer) < count and self.fill():
            pass
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_fields(self):
        fields = []
        while True:
            line = self.line()
            if not line:
                return fields, line is not None
            name, value = line.split(":", 1)
            fields.append((name.lower(), value.strip()))

    def read_answer(self, head=False):
        """The next response; None when the connection ends without one."""
        informational = []
        while True:
            line = self.line()
            if line is None:
                return None
            status = int(line.split(" ")[1])
            fields, _ = self.read_fields()
            if status >= 200:
                break
            informational.append((status, fields))
        get = dict(fields).get
        body, trailers, whole = b"", [], True
        if head or status in (204, 304):
            pass
        elif get("transfer-encoding") == "chunked":
            while True:
                size = self.line()
                if not size:
                    whole = False
                    break
                if int(size, 16) == 0:
                    trailers, whole = self.read_fields()
                    break
                chunk = self.take(int(size, 16))
                body += chunk
                if len(chunk) < int(size, 16) or self.line() is None:
                    whole = False
                    break
        elif get("content-length") is not None:
            body = self.take(int(get("content-length")))
            whole = len(body) == int(get("content-length"))
        else:
            while self.fill():
                pass
            body, self.buffer = self.buffer, b""
        return Answer(status, fields, body, trailers, whole, informational)

    def at_end(self):
        return not self.buffer and not self.fill()


class Serving:
    """A running server."""

    def __init__(self, t, guest, *options, log="json", env=None, clean=True, limits=()):
        """`limits`: pairs of a resource and its limit."""

        def limit():
            for what, most in limits:
                resource.setrlimit(what, (most, most))

        if "--addr" not in options:
            options = ["--addr", "127.0.0.1:0", *options]
        if "--threads" not in options:
            options = ["--threads", "1", *options]  # so that what one request does to others is seen
        options = ["--log", log, *options]
        self.process = t.start("serve", *options, guest, env=env, preexec_fn=limit if limits else None)
        self.clean = clean
        self.lines = []
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()
        assert self.ready.wait(4 * PATIENCE), f"it does not serve: {self.lines}"
        match = next((m for m in map(re.compile(r"on (https?)://(?:\[[^\]]*\]|[^:\s]+):(\d+)").search, self.lines) if m), None)
        assert match, f"it does not serve: {self.lines}"
        self.port = int(match[2])
        self.url = f"{match[1]}://127.0.0.1:{self.port}"

    def collect(self):
        for line in self.process.stderr:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))
            if " on http" in self.lines[-1]:
                self.ready.set()
        self.ready.set()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None and self.clean:
            assert self.process.returncode == 0, f"ended with {self.process.returncode}: {self.lines}"

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE)
        except Exception:
            self.process.kill()
            self.process.wait()
        self.thread.join(PATIENCE)

    def client(self, **options):
        return Client(self.port, **options)

    def get(self, target, fields=()):
        with self.client() as client:
            return client.get(target, fields)

    def post(self, target, body, fields=()):
        with self.client() as client:
            client.request("POST", target, fields, body)
            return client.read_answer()

    def raw(self, data):
        """What the server answers to these bytes."""
        with self.client() as client:
            client.send(data)
            return client.read_answer()

    def records(self, count=1):
        """The access log, once it has so many lines."""
        return self.wait_for(lambda: self.parsed(), lambda found: len(found) >= count)

    def parsed(self):
        return [line for line in self.objects() if "status" in line]

    def objects(self):
        """All that it wrote, with the JSON log."""
        return [json.loads(line) for line in list(self.lines)]

    def wait_for(self, look, good):
        end = time.monotonic() + PATIENCE
        while True:
            found = look()
            if good(found):
                return found
            assert time.monotonic() < end, f"not in time: {found}, {self.lines[-20:]}"
            time.sleep(0.02)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """Resident KiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
