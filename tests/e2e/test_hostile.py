"""Programs that try to use up the host: what they make it keep and do is bounded."""

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
