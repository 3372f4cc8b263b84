"""Programs that try to use up the host: what they make it keep and do is bounded."""

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
      (br_if $l (i32.lt_u (local.get $i) (i32.const 3000))))
    (i32.const 0)))"""


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
    t("run", t.core_program("bodies", BODIES)).refused(
        134, "the bodies of all messages take more memory than the instance may use")
