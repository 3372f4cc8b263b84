"""Programs that try to use up the host: what they make it keep and do is bounded."""

import os
import resource

POLL = """(module
  (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $subscribe (param i64) (result i32)))
  (import "wasi:io/poll@0.2.12" "poll" (func $poll (param i32 i32 i32)))
  (memory (export "memory") 100)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 5000000))
  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $p i32) (local $i i32)
    (local.set $p (call $subscribe (i64.const 50000000)))
    (loop $l
      (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 4))) (local.get $p))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const COUNT))))
    (call $poll (i32.const 65536) (i32.const COUNT) (i32.const 16))
    ;; All of them are ready.
    (i32.ne (i32.load (i32.const 20)) (i32.const COUNT))))"""

FIELDS = """(module
  (import "wasi:http/types@0.2.12" "[constructor]fields" (func $new (result i32)))
  (import "wasi:http/types@0.2.12" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.12" "[method]fields.clone" (func $clone (param i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[resource-drop]fields" (func $drop (param i32)))
  (memory (export "memory") 20)
  (data (i32.const 0) "a")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $f i32) (local $i i32) (local $copy i32)
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1000000))
    (local.set $f (call $new))
    (call $append (local.get $f) (i32.const 0) (i32.const 1) (i32.const 65536) (i32.const 1000000) (i32.const 16))
    (loop $l
      (local.set $copy (call $clone (local.get $f)))
      DROP
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 400))))
    (i32.const 0)))"""

BODIES = """(module
  (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.12" "[method]outgoing-request.body" (func $body (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $i i32)
    (loop $l
      (call $body (call $request (call $fields)) (i32.const 16))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const COUNT))))
    (i32.const 0)))"""


FILES = """(module
  (import "wasi:filesystem/preopens@0.2.12" "get-directories" (func $directories (param i32)))
  (import "wasi:filesystem/types@0.2.12" "[method]descriptor.open-at"
    (func $open (param i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:filesystem/types@0.2.12" "[resource-drop]descriptor" (func $drop (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 100) ".")
  (global $top (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -8)))))
  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $d i32) (local $count i32)
    (call $directories (i32.const 1000))
    (local.set $d (i32.load (i32.load (i32.const 1000))))
    (loop $l
      (call $open (local.get $d) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 1)
        (i32.const 2000))
      (if (i32.eqz (i32.load8_u (i32.const 2000)))
        (then (local.set $count (i32.add (local.get $count) (i32.const 1))) (br $l))))
    ;; insufficient-memory, and what is dropped makes room again.
    (if (i32.ne (i32.load8_u (i32.const 2004)) (i32.const 22)) (then (return (i32.const 1))))
    (call $drop (i32.add (local.get $d) (i32.const 1)))
    (call $open (local.get $d) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 1)
      (i32.const 2000))
    (i32.or (i32.load8_u (i32.const 2000)) (i32.ne (local.get $count) (i32.const COUNT)))))"""


def test_a_pollable_that_is_in_a_list_many_times_is_waited_for_once(t):
    program = t.core_program("poll", POLL.replace("COUNT", "65536"))
    ended = t("run", "--timeout", "60s", program).succeeded()
    assert t.slow or ended.seconds < 10, str(ended)


def test_a_list_of_too_many_pollables_is_refused(t):
    t("run", t.core_program("poll", POLL.replace("COUNT", "65537"))).refused(
        134, "poll was called with more than 65,536 pollables")


def test_fields_of_messages_have_a_limit_together(t):
    hoards = t.core_program("hoards", FIELDS.replace("DROP", ""))
    text = "the fields of all messages take more memory than the instance may use"
    t("run", hoards).refused(134, text)
    # What is dropped does not count.
    drops = t.core_program("drops", FIELDS.replace("DROP", "(call $drop (local.get $copy))"))
    t("run", drops).succeeded()
    t("run", "--max-memory", "4M", drops).succeeded()


def test_bodies_of_messages_have_a_limit_together(t):
    text = "the bodies of all messages take more memory than the instance may use"
    t("run", t.core_program("bodies", BODIES.replace("COUNT", "3000"))).refused(134, text)
    # As much as may be needed follows from the limit of a memory.
    some = t.core_program("some", BODIES.replace("COUNT", "500"))
    t("run", some).succeeded()
    t("run", "--max-memory", "16M", some).refused(134, text)


def test_some_descriptors_stay_for_the_host(t):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    files = t.core_program("files", FILES.replace("COUNT", str(200 - 64)))
    t("run", "--dir", f"{t.folder}::/", files, preexec_fn=limit).succeeded()


SOCKETS = """(module
  (import "wasi:sockets/tcp-create-socket@0.2.12" "create-tcp-socket" (func $tcp (param i32 i32)))
  (import "wasi:sockets/udp-create-socket@0.2.12" "create-udp-socket" (func $udp (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $count i32)
    (loop $l
      (call $tcp (i32.const 0) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (i32.or
        (i32.ne (local.get $count) (i32.const COUNT)) (i32.ne (i32.load8_u (i32.const 20)) (i32.const CODE))))))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (call $udp (i32.const 1) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (i32.or
        (i32.ne (local.get $count) (i32.const COUNT)) (i32.ne (i32.load8_u (i32.const 20)) (i32.const CODE))))))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (br $l))
    unreachable))"""

FIFOS = FILES.replace('[resource-drop]descriptor" (func $drop (param i32)))', """[method]descriptor.read-via-stream"
    (func $stream (param i32 i64 i32)))
  (import "wasi:filesystem/types@0.2.12" "[method]descriptor.append-via-stream" (func $append (param i32 i32)))""")
FIFOS = FIFOS[:FIFOS.index("(loop $l")].replace("100) \".\"", "100) \"p\"") + """
    (call $open (local.get $d) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 0) (i32.const 3)
      (i32.const 2000))
    (if (i32.load8_u (i32.const 2000)) (then unreachable))
    (local.set $d (i32.load (i32.const 2004)))
    (loop $l
      (call $stream (local.get $d) (i64.const 0) (i32.const 2000))
      (if (i32.eqz (i32.load8_u (i32.const 2000)))
        (then
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (call $append (local.get $d) (i32.const 2000))
          (if (i32.eqz (i32.load8_u (i32.const 2000)))
            (then (local.set $count (i32.add (local.get $count) (i32.const 1))) (br $l))))))
    ;; insufficient-memory
    (if (i32.ne (i32.load8_u (i32.const 2004)) (i32.const 22)) (then (return (i32.const 1))))
    (i32.ne (local.get $count) (i32.const COUNT))))"""


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))


ACCESS_DENIED, NEW_SOCKET_LIMIT = 1, 10


def test_without_a_grant_no_socket_is_made(t):
    none = t.core_program("none", SOCKETS.replace("COUNT", "0").replace("CODE", str(ACCESS_DENIED)))
    t("run", none, preexec_fn=few_descriptors).succeeded()


def test_sockets_take_places_of_the_guests_descriptors(t):
    core = SOCKETS.replace("COUNT", str(200 - 64)).replace("CODE", str(NEW_SOCKET_LIMIT))
    t("run", "--allow-net", "192.0.2.1:9", t.core_program("sockets", core), preexec_fn=few_descriptors).succeeded()


def test_streams_of_one_fifo_take_places_of_the_guests_descriptors(t):
    os.mkfifo(t.folder / "p")
    # One is the FIFO itself.
    core = FIFOS.replace("COUNT", str(200 - 64 - 1))
    t("run", "--dir", f"{t.folder}::/", t.core_program("fifos", core), preexec_fn=few_descriptors).succeeded()


# One function with much to do, which must end soon: with a refusal, or with a part of the work.
LONG = """(module
  (import "INTERFACE" "FUNCTION" (func $f TYPE))
  SETUP
  (memory (export "memory") 4096)
  (data (i32.const 100) "content-length" "5" "x")
  (global $top (mut i32) (i32.const 205520896))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $top)
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 15)) (i32.const -16))))
  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $i i32) (local $d i32)
    CALL
    (i32.const 0)))"""

TYPES = "wasi:http/types@0.2.12"
REQUEST = f"""(import "{TYPES}" "[constructor]fields" (func $fields (result i32)))
  (import "{TYPES}" "[constructor]outgoing-request" (func $request (param i32) (result i32)))"""
FILL = "(memory.fill (i32.const 65536) (i32.const 97) (i32.const 200000000))"
LENGTHS = """(loop $l
      (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 16))) (i32.const 100))
      (i32.store (i32.add (i32.const 65540) (i32.mul (local.get $i) (i32.const 16))) (i32.const NAME))
      (i32.store (i32.add (i32.const 65544) (i32.mul (local.get $i) (i32.const 16))) (i32.const VALUE))
      (i32.store (i32.add (i32.const 65548) (i32.mul (local.get $i) (i32.const 16))) (i32.const SIZE))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const COUNT))))
    (call $f (i32.const 65536) (i32.const COUNT) (i32.const 16))"""


def lengths(name, value, size, count):
    text = LENGTHS.replace("NAME", str(name)).replace("VALUE", str(value)).replace("SIZE", str(size))
    return text.replace("COUNT", str(count))


def long_call(t, name, interface, function, kind, call, setup=""):
    core = LONG.replace("INTERFACE", interface).replace("FUNCTION", function).replace("TYPE", kind)
    path = t.core_program(name, core.replace("CALL", call).replace("SETUP", setup))
    t("compile", path, "-o", t.folder / f"{name}.cwasm").succeeded()
    ended = t("run", "--timeout", "60s", "--dir", f"{t.folder}::/", t.folder / f"{name}.cwasm")
    # Of which most is for 200 MB of the guest's own.
    assert t.slow or ended.cpu < 1.0, str(ended)
    return ended


def test_many_content_lengths_take_no_square_of_time(t):
    done = long_call(t, "lengths", TYPES, "[static]fields.from-list", "(param i32 i32 i32)",
                     lengths(14, 114, 1, 13_000) + "(if (i32.load8_u (i32.const 16)) (then unreachable))")
    done.succeeded()


def test_values_of_fields_are_counted_before_they_are_looked_at(t):
    # A million values that lie at one place, of 100 MB each.
    text = "the fields of a message take more than 1 MiB"
    long_call(t, "values", TYPES, "[static]fields.from-list", "(param i32 i32 i32)",
              lengths(1, 65536, 100_000_000, 1_000_000)).refused(134, "of one call")
    long_call(t, "few", TYPES, "[static]fields.from-list", "(param i32 i32 i32)",
              lengths(1, 65536, 100_000_000, 10_000)).refused(134, text)


def test_long_texts_of_requests_are_refused_before_they_are_looked_at(t):
    for function, kind, words in (("set-path-with-query", "(param i32 i32 i32 i32) (result i32)", "(i32.const 1)"),
                                  ("set-authority", "(param i32 i32 i32 i32) (result i32)", "(i32.const 1)"),
                                  ("set-method", "(param i32 i32 i32 i32) (result i32)", "(i32.const 9)"),
                                  ("set-scheme", "(param i32 i32 i32 i32 i32) (result i32)",
                                   "(i32.const 1) (i32.const 2)")):
        for size, code in ((200_000_000, 134), (70_000, 0)):
            slash = "(i32.store8 (i32.const 65536) (i32.const 47))" if function == "set-path-with-query" else ""
            call = (f"{FILL} {slash} (if (i32.eqz (call $f (call $request (call $fields)) {words} (i32.const 65536)"
                    f" (i32.const {size}))) (then unreachable))")
            done = long_call(t, function, TYPES, f"[method]outgoing-request.{function}", kind, call, REQUEST)
            done.exited(code)
            assert code == 0 or "the values of one call take more host memory than allowed" in done.err, str(done)


def test_random_bytes_without_end_are_refused(t):
    for interface, function in (("random", "get-random-bytes"), ("insecure", "get-insecure-random-bytes")):
        done = long_call(t, interface, f"wasi:random/{interface}@0.2.12", function, "(param i64 i32)",
                         "(call $f (i64.const 250000000) (i32.const 16))")
        done.refused(134, "more than 16 MiB of random bytes were asked for in one call")


OPEN = """(import "wasi:filesystem/preopens@0.2.12" "get-directories" (func $directories (param i32)))
  (import "wasi:filesystem/types@0.2.12" "[method]descriptor.open-at"
    (func $open (param i32 i32 i32 i32 i32 i32 i32)))"""


def test_a_write_of_200_mb_writes_a_part(t):
    call = f"""{FILL}
    (call $directories (i32.const 16))
    (local.set $d (i32.load (i32.load (i32.const 16))))
    (call $open (local.get $d) (i32.const 0) (i32.const 115) (i32.const 1) (i32.const 1) (i32.const 2) (i32.const 16))
    (if (i32.load8_u (i32.const 16)) (then unreachable))
    (call $f (i32.load (i32.const 20)) (i32.const 65536) (i32.const 200000000) (i64.const 0) (i32.const 32))
    (if (i32.load8_u (i32.const 32)) (then unreachable))
    (if (i64.ne (i64.load (i32.const 40)) (i64.const 1048576)) (then unreachable))"""
    done = long_call(t, "write", "wasi:filesystem/types@0.2.12", "[method]descriptor.write",
                     "(param i32 i32 i32 i64 i32)", call, OPEN)
    done.succeeded()
    assert (t.folder / "x").stat().st_size == 1 << 20
