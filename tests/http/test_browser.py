"""examples/webapp in a browser: a person opens the page, writes a note, sees it."""

import base64
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import time
import urllib.request

import harness
from serving import Serving
from test_webapp import webapp

PATIENCE = 60
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--remote-debugging-port=0"]


class Browser:
    """Chromium without a window, driven by its DevTools protocol over a socket of our own."""

    def __init__(self, folder):
        program = shutil.which("chromium") or shutil.which("google-chrome")
        if not program:
            raise harness.Skipped("there is no chromium")
        self.folder = folder / "profile"
        self.log = open(folder / "browser.log", "w+b")
        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self.folder}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log, start_new_session=True,
            env={**os.environ, "HOME": str(folder)})
        self.number = 0
        try:
            self.connect()
        except BaseException:
            self.close()
            raise

    def connect(self):
        end = time.monotonic() + PATIENCE
        while True:
            self.log.seek(0)
            text = self.log.read().decode(errors="replace")
            if match := re.search(r"DevTools listening on ws://127.0.0.1:(\d+)/", text):
                break
            assert self.process.poll() is None and time.monotonic() < end, f"the browser does not start: {text}"
            time.sleep(0.05)
        port = int(match[1])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE) as answer:
            pages = [target for target in json.load(answer) if target["type"] == "page"]
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        path = pages[0]["webSocketDebuggerUrl"].split(str(port), 1)[1]
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                             "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        assert b" 101 " in head, head

    def fill(self):
        data = self.socket.recv(65536)
        assert data, "the browser went away"
        self.buffer += data

    def take(self, count):
        while len(self.buffer) < count:
            self.fill()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def send(self, text):
        data = text.encode()
        mask = os.urandom(4)
        head = b"\x81" + (struct.pack("!B", 0x80 | len(data)) if len(data) < 126
                          else struct.pack("!BH", 0x80 | 126, len(data)))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        text = b""
        while True:
            first, second = self.take(2)
            size = second & 0x7F
            if size == 126:
                size, = struct.unpack("!H", self.take(2))
            elif size == 127:
                size, = struct.unpack("!Q", self.take(8))
            data = self.take(size)
            if first & 0x0F in (0, 1):
                text += data
                if first & 0x80:
                    return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        self.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = self.receive()
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, expression):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if found := self.evaluate(expression):
                    return found
            except AssertionError:
                pass  # between two pages
            assert time.monotonic() < end, (expression, self.evaluate("document.documentElement.outerHTML"))
            time.sleep(0.05)

    def close(self):
        # It has processes of its own, all in one session.
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def test_a_person_writes_a_note_and_sees_it(t):
    data = webapp(t)
    with Browser(t.folder) as browser, Serving(t, t.folder) as server:
        browser.call("Page.enable")
        browser.call("Page.navigate", url=server.url + "/")
        browser.wait_for("document.title === 'Notes' && document.readyState === 'complete'")
        browser.evaluate("document.querySelector('input').focus()")
        browser.call("Input.insertText", text="buy <b>tea</b>")
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r",
                         windowsVirtualKeyCode=13)
        assert "buy <b>tea</b>" in browser.wait_for("(document.querySelector('li') || {}).innerText")
        assert [path.read_text() for path in data.iterdir()] == ["buy <b>tea</b>"]
        # It is still there when the page is opened again, and goes when it is deleted.
        browser.evaluate("window.before = true")
        browser.call("Page.reload")
        browser.wait_for("!window.before && document.querySelectorAll('li').length === 1")
        browser.evaluate("document.querySelector('li button').click()")
        browser.wait_for("document.querySelectorAll('li').length === 0")
        assert not list(data.iterdir())
