"""Programs that make the host keep things, kind by kind: the process stays within the limit of memory and a constant.

Each core module makes objects until the host ends it or refuses. What it may make the host keep is 16 MiB with
`--max-memory 64M`, and its own memory is small, so all that the process takes beyond an idle one is that and what the
host's allocator makes of it.
"""

import contextlib
import os
import socket
import subprocess
import threading

LIMIT = ("--max-memory", "64M", "--timeout", "100s")
BUDGET = 16 << 10  # KiB
SLACK = 24 << 10

PRELUDE = """(module
  IMPORTS
  (memory (export "memory") 64)
  (data (i32.const 100) "a")
  (data (i32.const 200) "127.0.0.1:PORT")
  (global $top (mut i32) (i32.const 2097152))
  ;; Gives what is asked for and begins again: nothing is kept of it.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (if (i32.gt_u (i32.add (global.get $top) (i32.add (local.get 3) (i32.const 16))) (i32.const 4194304))
      (then (global.set $top (i32.const 2097152))))
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $i i32) (local $a i32) (local $b i32) (local $n i32)
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 65536))
    BEFORE
    (loop $l
      BODY
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const COUNT))))
    (i32.const 0)))"""

TYPES = "wasi:http/types@0.2.12"
STREAMS = "wasi:io/streams@0.2.12"
TCP = "wasi:sockets/tcp@0.2.12"
IMPORTS = {
    "fields": (TYPES, "[constructor]fields", "(result i32)"),
    "append": (TYPES, "[method]fields.append", "(param i32 i32 i32 i32 i32 i32)"),
    "request": (TYPES, "[constructor]outgoing-request", "(param i32) (result i32)"),
    "response": (TYPES, "[constructor]outgoing-response", "(param i32) (result i32)"),
    "options": (TYPES, "[constructor]request-options", "(result i32)"),
    "set-path": (TYPES, "[method]outgoing-request.set-path-with-query", "(param i32 i32 i32 i32) (result i32)"),
    "set-authority": (TYPES, "[method]outgoing-request.set-authority", "(param i32 i32 i32 i32) (result i32)"),
    "set-method": (TYPES, "[method]outgoing-request.set-method", "(param i32 i32 i32 i32) (result i32)"),
    "set-scheme": (TYPES, "[method]outgoing-request.set-scheme", "(param i32 i32 i32 i32 i32) (result i32)"),
    "body": (TYPES, "[method]outgoing-request.body", "(param i32 i32)"),
    "headers": (TYPES, "[method]outgoing-request.headers", "(param i32) (result i32)"),
    "instant": ("wasi:clocks/monotonic-clock@0.2.12", "subscribe-instant", "(param i64) (result i32)"),
    "stdin": ("wasi:cli/stdin@0.2.12", "get-stdin", "(result i32)"),
    "stdout": ("wasi:cli/stdout@0.2.12", "get-stdout", "(result i32)"),
    "subscribe-input": (STREAMS, "[method]input-stream.subscribe", "(param i32) (result i32)"),
    "directories": ("wasi:filesystem/preopens@0.2.12", "get-directories", "(param i32)"),
    "open": ("wasi:filesystem/types@0.2.12", "[method]descriptor.open-at", "(param i32 i32 i32 i32 i32 i32 i32)"),
    "read-stream": ("wasi:filesystem/types@0.2.12", "[method]descriptor.read-via-stream", "(param i32 i64 i32)"),
    "list": ("wasi:filesystem/types@0.2.12", "[method]descriptor.read-directory", "(param i32 i32)"),
    "next": ("wasi:filesystem/types@0.2.12", "[method]directory-entry-stream.read-directory-entry", "(param i32 i32)"),
    "network": ("wasi:sockets/instance-network@0.2.12", "instance-network", "(result i32)"),
    "handle": ("wasi:http/outgoing-handler@0.2.12", "handle", "(param i32 i32 i32 i32)"),
    "future-pollable": (TYPES, "[method]future-incoming-response.subscribe", "(param i32) (result i32)"),
    "future-get": (TYPES, "[method]future-incoming-response.get", "(param i32 i32)"),
    "block": ("wasi:io/poll@0.2.12", "[method]pollable.block", "(param i32)"),
    "check-write": (STREAMS, "[method]output-stream.check-write", "(param i32 i32)"),
    "write": (STREAMS, "[method]output-stream.write", "(param i32 i32 i32 i32)"),
    "tcp": ("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket", "(param i32 i32)"),
    "connect": (TCP, "[method]tcp-socket.start-connect", f"(param{' i32' * 15})"),
    "connected": (TCP, "[method]tcp-socket.finish-connect", "(param i32 i32)"),
    "tcp-pollable": (TCP, "[method]tcp-socket.subscribe", "(param i32) (result i32)"),
    "resolve": ("wasi:sockets/ip-name-lookup@0.2.12", "resolve-addresses", "(param i32 i32 i32 i32)"),
}

REQUEST = "(local.set $a (call $request (call $fields)))"


def text(function, length, case=None):
    """A request with one long text, again and again."""
    first = "" if case is None else f"(i32.const {case})"
    words = "(i32.const 1)" + first if function == "set-scheme" else (first or "(i32.const 1)")
    return (REQUEST + f"(if (call ${function} (local.get $a) {words} (i32.const 65536) (i32.const {length}))"
            "(then unreachable))")


# Beginning of a program, its loop, and how often that runs at most. Without a limit each would take far more than the
# process may have.
HOARDS = {
    "fields": ("", "(drop (call $fields))", 2_000_000),
    "fields with long values":
        ("", "(call $append (call $fields) (i32.const 100) (i32.const 1) (i32.const 65536) (i32.const 65536)"
         " (i32.const 16))", 20_000),
    "requests": ("", "(drop (call $request (call $fields)))", 2_000_000),
    "paths of requests": ("(i32.store8 (i32.const 65536) (i32.const 47))", text("set-path", 65536), 20_000),
    "authorities of requests": ("", text("set-authority", 1024), 1_000_000),
    "methods of requests": ("", text("set-method", 1024, 9), 1_000_000),
    "schemes of requests": ("", text("set-scheme", 1024, 2), 1_000_000),
    "views of fields": (REQUEST, "(drop (call $headers (local.get $a)))", 2_000_000),
    "bodies": ("", REQUEST + "(call $body (local.get $a) (i32.const 16))", 20_000),
    "responses": ("", "(drop (call $response (call $fields)))", 2_000_000),
    "options": ("", "(drop (call $options))", 2_000_000),
    "timers": ("", "(drop (call $instant (i64.const 9000000000000000000)))", 2_000_000),
    "handles of standard streams": ("", "(drop (call $stdin)) (drop (call $stdout))", 2_000_000),
    "pollables of one stream":
        ("(local.set $a (call $stdin))", "(drop (call $subscribe-input (local.get $a)))", 2_000_000),
    "networks": ("", "(drop (call $network))", 2_000_000),
    "literal addresses":
        ("(local.set $a (call $network))",
         "(call $resolve (local.get $a) (i32.const 200) (i32.const 9) (i32.const 16))"
         " (if (i32.load8_u (i32.const 16)) (then unreachable))", 2_000_000),
    "streams of one file":
        ("(call $directories (i32.const 16)) (local.set $a (i32.load (i32.load (i32.const 16))))"
         " (call $open (local.get $a) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 1)"
         " (i32.const 16)) (if (i32.load8_u (i32.const 16)) (then unreachable))"
         " (local.set $b (i32.load (i32.const 20)))",
         "(call $read-stream (local.get $b) (i64.const 0) (i32.const 16))", 2_000_000),
    "listings":
        ("(call $directories (i32.const 16)) (local.set $a (i32.load (i32.load (i32.const 16))))",
         "(call $list (local.get $a) (i32.const 16))"
         " (if (i32.load8_u (i32.const 16)) (then (return (i32.const 1))))"
         " (call $next (i32.load (i32.const 20)) (i32.const 32))", 200_000),
}


FETCH = REQUEST + """
      (drop (call $set-authority (local.get $a) (i32.const 1) (i32.const 200) (i32.const LENGTH)))
      (drop (call $set-scheme (local.get $a) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
      (call $handle (local.get $a) (i32.const 0) (i32.const 0) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (i32.const 1))))
      (local.set $b (i32.load (i32.const 24)))"""
RECEIVE = """
      (call $block (call $future-pollable (local.get $b)))
      (call $future-get (local.get $b) (i32.const 64))
      (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then unreachable))
      (if (i32.load8_u (i32.const 80)) (then (return (i32.const 1))))"""
SEND = """
      (call $tcp (i32.const 0) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (i32.const 1))))
      (local.set $a (i32.load (i32.const 20)))
      (call $connect (local.get $a) (local.get $n) (i32.const 0) (i32.const PORT) (i32.const 127) (i32.const 0)
        (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then unreachable))
      (call $block (call $tcp-pollable (local.get $a)))
      (call $connected (local.get $a) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (i32.const 1))))
      (local.set $b (i32.load (i32.const 24)))
      (loop $more
        (call $check-write (local.get $b) (i32.const 32))
        (if (i32.load8_u (i32.const 32)) (then unreachable))
        (if (i64.ne (i64.load (i32.const 40)) (i64.const 0))
          (then
            (call $write (local.get $b) (i32.const 65536) (i32.const 65536) (i32.const 32))
            (br $more))))"""


def program(t, name, before, body, count, port=0):
    words = before + body
    used = "\n  ".join(f'(import "{interface}" "{function}" (func ${key} {kind}))'
                       for key, (interface, function, kind) in IMPORTS.items() if f"${key} " in words or
                       f"${key})" in words)
    core = PRELUDE.replace("IMPORTS", used).replace("BEFORE", before).replace("BODY", body)
    core = core.replace("COUNT", str(count)).replace("PORT", str(port))
    return t.core_program(name.replace(" ", "-"), core.replace("LENGTH", str(len(f"127.0.0.1:{port}"))))


def peak(t, *words):
    """How `tenon run` ended, and the most memory that it had, in KiB."""
    process = t.start("run", *LIMIT, *words, stdin=subprocess.DEVNULL)
    err = process.stderr.read().decode()
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, err, usage.ru_maxrss


def idle(t):
    return peak(t, program(t, "idle", "", "(drop (call $fields))", 1))[2]


def bounded(t, name, *words, hoard=None, port=0):
    """Runs a hoard: it is ended or refused, within its memory."""
    base = idle(t)
    path = program(t, name, *(hoard or HOARDS[name]), port=port)
    # Compiled before it is looked at.
    t("compile", path, "-o", t.folder / "hoard.cwasm").succeeded()
    code, err, most = peak(t, *words, t.folder / "hoard.cwasm")
    assert code in (1, 134), f"{name}: it was neither ended nor refused: {code} {err}"
    # Which of them comes depends on what took the last of the budget.
    reasons = ("more memory than the instance may use", "more memory than it may use", "too many host resources",
               "too many handles")
    assert code == 1 or any(reason in err for reason in reasons), f"{name}: {err}"
    assert t.slow or most < base + BUDGET + SLACK, f"{name}: {most} KiB, idle {base} KiB"


def bound_all(t, *names, words=()):
    for name in names:
        bounded(t, name, *words)


def test_messages_that_a_guest_makes_stay_within_its_memory(t):
    bound_all(t, "fields", "fields with long values", "requests", "views of fields", "bodies", "responses", "options")


def test_texts_of_requests_stay_within_a_guests_memory(t):
    bound_all(t, "paths of requests", "authorities of requests", "methods of requests", "schemes of requests")


def test_streams_and_pollables_stay_within_a_guests_memory(t):
    bound_all(t, "timers", "handles of standard streams", "pollables of one stream")


def test_networks_and_look_ups_stay_within_a_guests_memory(t):
    bound_all(t, "networks", "literal addresses")


def test_streams_of_files_and_listings_stay_within_a_guests_memory(t):
    t.file("a", b"x" * 100)
    bound_all(t, "streams of one file", "listings", words=["--dir", f"{t.folder}::/"])


@contextlib.contextmanager
def peer(answer=b""):
    """A server that reads nothing, and sends `answer` to each who comes. Its port."""
    kept = []

    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                kept.append(listener.accept()[0])
                kept[-1].sendall(answer)

    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


def test_responses_that_are_received_stay_within_a_guests_memory(t):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n" + b"X-A: " + b"a" * 60_000 + b"\r\n\r\n"
    with peer(head + b"x" * 100_000) as port:
        bounded(t, "responses received", "--allow-http", f"127.0.0.1:{port}", port=port,
                hoard=("", FETCH + RECEIVE, 2000))


def test_requests_on_their_way_stay_within_a_guests_memory(t):
    with peer() as port:
        bounded(t, "requests in flight", "--allow-http", f"127.0.0.1:{port}", port=port, hoard=("", FETCH, 2000))


def test_what_peers_of_sockets_do_not_read_stays_within_a_guests_memory(t):
    with peer() as port:
        bounded(t, "sockets", "--allow-net", f"127.0.0.1:{port}", port=port,
                hoard=("(local.set $n (call $network))", SEND, 20_000))
