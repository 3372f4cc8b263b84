"""Guests that call functions with much to do, again and again: others are answered, deadlines are held."""

import threading
import time

from serving import Late, Serving, best_of_three
from test_stubborn import handler

TYPES = "wasi:http/types@0.2.12"
FILESYSTEM = "wasi:filesystem/types@0.2.12"

CORE = """(module
  IMPORTS
  (memory (export "memory") 3300)
  (data (i32.const 100) "content-length" "5" "x")
  (global $top (mut i32) (i32.const 67108864))
  ;; Begins again when little is left.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (if (i32.gt_u (global.get $top) (i32.const 134217728)) (then (global.set $top (i32.const 67108864))))
    (global.get $top)
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 15)) (i32.const -16))))
  (func (export "wasi:http/incoming-handler@0.2.12#handle") (param i32 i32)
    (local $i i32) (local $d i32)
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 60000000))
    BEFORE
    (loop $ever
      CALL
      (br $ever))))"""

ENTRIES = """(loop $l
      (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 16))) (i32.const 100))
      (i32.store (i32.add (i32.const 65540) (i32.mul (local.get $i) (i32.const 16))) (i32.const 14))
      (i32.store (i32.add (i32.const 65544) (i32.mul (local.get $i) (i32.const 16))) (i32.const 114))
      (i32.store (i32.add (i32.const 65548) (i32.mul (local.get $i) (i32.const 16))) (i32.const 1))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 13000))))"""

REQUEST = f"""(import "{TYPES}" "[constructor]fields" (func $fields (result i32)))
  (import "{TYPES}" "[constructor]outgoing-request" (func $request (param i32) (result i32)))"""

OPEN = f"""(import "wasi:filesystem/preopens@0.2.12" "get-directories" (func $directories (param i32)))
  (import "{FILESYSTEM}" "[method]descriptor.open-at" (func $open (param i32 i32 i32 i32 i32 i32 i32)))"""

# Imports, what comes before the loop, and the loop's call.
CALLS = {
    "random": (
        '(import "wasi:random/random@0.2.12" "get-random-bytes" (func $f (param i64 i32)))', "",
        "(call $f (i64.const 16777216) (i32.const 16))"),
    "fields": (
        f'(import "{TYPES}" "[static]fields.from-list" (func $f (param i32 i32 i32)))'
        f'(import "{TYPES}" "[resource-drop]fields" (func $drop (param i32)))', ENTRIES,
        "(call $f (i32.const 65536) (i32.const 13000) (i32.const 16)) (call $drop (i32.load (i32.const 20)))"),
    "path": (
        f'{REQUEST} (import "{TYPES}" "[method]outgoing-request.set-path-with-query"'
        ' (func $f (param i32 i32 i32 i32) (result i32)))', "(local.set $d (call $request (call $fields))) (i32.store8 (i32.const 65536) (i32.const 47))",
        "(drop (call $f (local.get $d) (i32.const 1) (i32.const 65536) (i32.const 8000000)))"),
    "write": (
        f'{OPEN} (import "{FILESYSTEM}" "[method]descriptor.write" (func $f (param i32 i32 i32 i64 i32)))',
        """(call $directories (i32.const 16)) (local.set $d (i32.load (i32.load (i32.const 16))))
    (call $open (local.get $d) (i32.const 0) (i32.const 115) (i32.const 1) (i32.const 1) (i32.const 2) (i32.const 16))
    (if (i32.load8_u (i32.const 16)) (then unreachable))
    (local.set $d (i32.load (i32.const 20)))""",
        "(call $f (local.get $d) (i32.const 65536) (i32.const 60000000) (i64.const 0) (i32.const 32))"),
}


@best_of_three
def stays_answering(t, name):
    imports, before, call = CALLS[name]
    core = CORE.replace("IMPORTS", imports).replace("BEFORE", before).replace("CALL", call)
    folder = t.folder / "data"
    folder.mkdir(exist_ok=True)
    options = ["--timeout", "3s", "--dir", f"{folder}::/data"]
    with Serving(t, handler(t, name, core), *options) as server:
        done = []
        begin = time.monotonic()

        def ask():
            done.append((server.get("/").status, time.monotonic() - begin))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.3)
        longest = 0
        while time.monotonic() - begin < 2:
            since = time.monotonic()
            # Answered without a guest.
            assert server.raw(b"this is no request\r\n\r\n").status == 400
            longest = max(longest, time.monotonic() - since)
            time.sleep(0.02)
        asking.join()
        assert done[0][0] == 504, f"{done} {server.lines}"
    if t.slow:
        return
    if longest >= 0.5:
        raise Late(f"{name}: another client waited {longest:.2f} s")
    if done[0][1] >= 4.5:
        raise Late(f"{name}: the deadline of 3 s was held after {done[0][1]:.2f} s")


def test_random_bytes_again_and_again_hold_nobody(t):
    stays_answering(t, "random")


def test_long_lists_of_fields_again_and_again_hold_nobody(t):
    stays_answering(t, "fields")


def test_long_texts_again_and_again_hold_nobody(t):
    stays_answering(t, "path")


def test_large_writes_again_and_again_hold_nobody(t):
    stays_answering(t, "write")
