"""Good and bad requests in any order, many at a time. Afterwards nothing of them is left.

TENON_LOAD says how many there are (6,000; the ctest configuration `load` runs 100,000).
"""

import collections
import contextlib
import os
import random
import socket
import struct
import threading
import time

from serving import Serving

REQUESTS = int(os.environ.get("TENON_LOAD", "6000"))
PLACES = 64  # for requests in flight
CLIENTS = 16
MOST_GROWTH = 8 << 10  # KiB of resident memory, from a tenth of the load to all of it


class Load:
    """Each kind of visitor returns how many requests it made; it fails when a good one is not answered."""

    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.statuses = collections.Counter()

    def expect(self, answer, *wanted):
        self.statuses[answer.status if answer else 0] += 1
        # 503: all places are taken, which is an answer too.
        assert answer and answer.status in (*wanted, 503), (wanted, answer)
        return answer

    def regular(self):
        with self.server.client() as client:
            for i in range(20):
                answer = self.expect(client.get("/"), 200)
                assert answer.status == 503 or answer.text == "Hello from the web\n", answer
        return 20

    def uploads(self):
        with self.server.client() as client:
            for i in range(5):
                data = self.random.randbytes(self.random.randrange(1, 20_000))
                client.request("POST", "/echo", body=data)
                answer = self.expect(client.read_answer(), 200)
                if answer.status == 503:
                    break  # the rest of the body may be in the way
                assert answer.body == data and answer.whole, answer
        return 5

    def pipelined(self):
        with self.server.client() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10 + "HELO\r\n\r\n")
            for _ in range(10):
                self.expect(client.read_answer(), 200)
            self.expect(client.read_answer(), 400)
        return 11

    def failing(self):
        """Guests that trap, exit, answer twice or never, break off, allocate, overdraw."""
        for path, status in (("/trap", 500), ("/drop", 500), ("/return", 500), ("/exit", 500), ("/twice", 500),
                             ("/overdraw", 500), ("/error", 500), ("/unfinished", 200), ("/trap-in-body", 200),
                             ("/trap-after-end", 200), ("/too-long", 200), ("/too-short", 200)):
            self.expect(self.server.get(path), status)
        return 12

    def allocating(self):
        self.expect(self.server.get("/allocate"), 500)
        return 1

    def spinning(self):
        self.expect(self.server.get("/spin"), 504)
        return 1

    def malformed(self):
        for text, status in (("rubbish\r\n\r\n", 400), ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
                             ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX: " + "y" * 40_000, 431),
                             ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400)):
            self.expect(self.server.raw(text), status)
        with self.server.client() as client:
            client.send("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            self.expect(client.read_answer(), 200)
        return 6

    def leave(self, client):
        if self.random.random() < 0.5:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    def vanishing(self):
        """Clients that leave in the middle of a request, while the guest works, or of the response."""
        for text in ("GET / HT", "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc",
                     "GET /never HTTP/1.1\r\nHost: a\r\n\r\n",
                     "GET /bytes?n=100000000 HTTP/1.1\r\nHost: a\r\n\r\n"):
            client = self.server.client()
            client.send(text)
            if "bytes" in text:
                client.fill()
            self.leave(client)
        return 4

    KINDS = ((regular, 40), (uploads, 40), (pipelined, 10), (failing, 10), (malformed, 12), (vanishing, 8),
             (allocating, 3), (spinning, 0.2))


def load(server, count, seed):
    """`count` requests by CLIENTS clients at once; what each status was given how often."""
    left, failures, statuses = [count], [], collections.Counter()
    lock = threading.Lock()

    def work(number):
        visitors = Load(server, seed * 1000 + number)
        kinds, weights = zip(*Load.KINDS)
        while not failures:
            kind, = visitors.random.choices(kinds, weights)
            with lock:
                if left[0] <= 0:
                    break
            try:
                with contextlib.suppress(ConnectionError):
                    done = kind(visitors)
                    with lock:
                        left[0] -= done
            except Exception as failure:  # for the caller
                failures.append((kind.__name__, failure))
        with lock:
            statuses.update(visitors.statuses)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    return statuses


def all_places_are_free(server):
    """As many requests as there are places are served at once: none is held by what went before."""
    clients = [server.client() for _ in range(PLACES)]
    for client in clients:
        client.request("GET", "/sleep?ms=500")
    answers = [client.read_answer() for client in clients]
    for client in clients:
        client.close()
    return all(answer and answer.status == 200 for answer in answers)


def settled(server):
    """How many descriptors there are once those who left have been missed. What is opened when it is needed first, for
    the guests' standard error, is open then."""
    counts = []
    for _ in range(30):
        counts.append(server.descriptors())
        time.sleep(0.1)
    return min(counts)


def test_a_mixed_load_leaves_nothing_over(t):
    options = ["--timeout", "1s", "--max-memory", "16M", "--max-requests", PLACES, "--log-file", "/dev/null"]
    with Serving(t, "@http_web", *options) as server:
        begin = time.monotonic()
        load(server, REQUESTS // 10, 1)
        assert server.wait_for(lambda: all_places_are_free(server), bool)
        descriptors, memory = settled(server), server.memory()
        statuses = load(server, REQUESTS - REQUESTS // 10, 2)
        seconds = time.monotonic() - begin
        assert server.wait_for(lambda: all_places_are_free(server), bool)
        server.wait_for(server.descriptors, lambda count: count <= descriptors)
        grown = server.memory() - memory
        print(f"{REQUESTS} requests in {seconds:.1f} s; statuses {dict(sorted(statuses.items()))}; "
              f"descriptors {descriptors}, memory {memory} KiB and {grown:+} KiB")
        assert statuses[200] > statuses[500] > 0 and statuses[503] < statuses[200], statuses
        assert t.slow or grown < MOST_GROWTH, (memory, grown)
        assert server.get("/").status == 200
