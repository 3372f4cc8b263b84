"""`tenon serve`: while a guest does what takes long, in its start function, in the host's functions or in between, others
wait at most MOST seconds, and its own time is held."""

import concurrent.futures
import contextlib
import threading
import time

from serving import Late, Serving, best_of_three
from test_stubborn import handler

MOST = 0.5
TIMEOUT = 3

WORKLOAD = """
[components.slow]
source = "{slow}"
[components.hello]
source = "{hello}"
[http.routes]
"/" = "hello"
"/slow" = "slow"
"""

STARTS = """(component
  (import "wasi:http/types@0.2.0" (instance $t
    (export "incoming-request" (type (sub resource))) (export "response-outparam" (type (sub resource)))))
  (alias export $t "incoming-request" (type $ir)) (alias export $t "response-outparam" (type $ro))
  (core module $m %s (start $s) (func (export "handle") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func $h (param "request" (own $ir)) (param "response-out" (own $ro)) (canon lift (core func $i "handle")))
  (instance $e (export "handle" (func $h)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $e)))"""

HANDLE = '(func (export "wasi:http/incoming-handler@0.2.12#handle") (param i32 i32) %s)'
REALLOC = '(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))'


class Watch:
    """Asks for `target` all the time, from a client of its own; the longest that it waited."""

    def __init__(self, server, target, status):
        self.server, self.target, self.status = server, target, status
        self.longest, self.count, self.stopped = 0, 0, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.failed = None

    def run(self):
        try:
            while not self.stopped:
                begin = time.monotonic()
                answer = self.server.get(self.target)
                self.longest = max(self.longest, time.monotonic() - begin)
                assert answer.status == self.status, answer
                self.count += 1
                time.sleep(0.02)
        except Exception as failure:
            self.failed = failure


@contextlib.contextmanager
def watched(server, target, status=200):
    watch = Watch(server, target, status)
    watch.thread.start()
    yield watch
    watch.stopped = True
    watch.thread.join(30)
    assert watch.failed is None, watch.failed
    if watch.longest > MOST:
        raise Late(f"another client waited {watch.longest:.2f} s")


def in_time(seconds, timeout):
    if seconds > timeout + MOST + 1:
        raise Late(f"{seconds:.2f} s")


def ask_slow(server):
    """The answer, and how long it took."""
    begin = time.monotonic()
    return server.get("/slow"), time.monotonic() - begin


@best_of_three
def expect_others_go_on(t, slow, timeout=TIMEOUT, clients=2):
    """Several clients ask for `slow` at once, which does not end in `timeout`, while another asks for `hello`."""
    workload = t.folder / "workload"
    workload.mkdir(exist_ok=True)
    (workload / "tenon.toml").write_text(WORKLOAD.format(slow=slow, hello=t.guest("http_hello")))
    with Serving(t, workload, "--timeout", f"{timeout}s") as server:
        server.get("/")
        with watched(server, "/") as watch, concurrent.futures.ThreadPoolExecutor(clients) as pool:
            for done in [pool.submit(ask_slow, server) for _ in range(clients)]:
                answer, seconds = done.result()
                assert answer.status == 504, (answer, server.lines)
                in_time(seconds, timeout)
        assert watch.count > 3, watch.count


@best_of_three
def expect_start_does_not_hold(t, start, status):
    with Serving(t, t.component("starts", STARTS % start), "--timeout", f"{TIMEOUT}s") as server:
        with watched(server, "relative", 400) as watch:
            for _ in range(2):
                answer, seconds = ask_slow(server)
                assert answer.status == status, answer
                in_time(seconds, TIMEOUT)
        assert watch.count > 3 or status == 500, watch.count


def test_a_start_function_that_spins_holds_nobody(t):
    expect_start_does_not_hold(t, "(func $s (loop (br 0)))", 504)


def test_a_start_function_that_traps_is_a_failure_of_its_request(t):
    expect_start_does_not_hold(t, "(func $s unreachable)", 500)


def test_start_functions_run_before_the_handler(t):
    module = (
        '(import "wasi:http/types@0.2.12" "[resource-drop]incoming-request" (func $drop (param i32)))'
        '(memory (export "memory") 1) (global $ready (mut i32) (i32.const 0))'
        "(func $s (global.set $ready (i32.const 1))) (start $s)"
    )
    body = "(if (i32.ne (global.get $ready) (i32.const 1)) (then unreachable)) (call $drop (local.get 0))"
    with Serving(t, handler(t, "starts", f"(module {module} {HANDLE % body} {REALLOC})")) as server:
        for _ in range(3):
            assert server.get("/").status == 500
        assert all("returned without an answer" in record["error"] for record in server.records(3)), server.lines


# Looks for a field whose name has 8 MB, and is none, so that nothing is kept of it.
LOOK = "(drop (call $has (local.get $fields) (i32.const 65536) (i32.const 8000000)))"


def looking(t, name, body):
    """A guest that makes such a name and has `body`."""
    begin = """(local $fields i32)
      (memory.fill (i32.const 65536) (i32.const 97) (i32.const 8000000))
      (local.set $fields (call $new))"""
    return handler(t, name, f"""(module
      (import "wasi:http/types@0.2.12" "[constructor]fields" (func $new (result i32)))
      (import "wasi:http/types@0.2.12" "[method]fields.has" (func $has (param i32 i32 i32) (result i32)))
      (memory (export "memory") 140) {HANDLE % (begin + body)} {REALLOC})""")


def test_host_functions_that_take_long_hold_nobody(t):
    """Nothing but calls, and no loop in which the guest itself looks at the time. They take 40 s on a machine that is no
    longer new: the time is up long before on any."""
    expect_others_go_on(t, looking(t, "straight", LOOK * 50_000), timeout=2)


def test_host_functions_that_take_long_hold_nobody_in_a_loop_either(t):
    expect_others_go_on(t, looking(t, "loop", f"(loop $again {LOOK} (br $again))"))


@best_of_three
def test_values_that_are_too_large_for_a_call_are_refused(t):
    """250 MB of text in one call of a host function."""
    module = f"""(module
      (import "wasi:http/types@0.2.12" "[constructor]fields" (func $new (result i32)))
      (import "wasi:http/types@0.2.12" "[method]fields.has" (func $has (param i32 i32 i32) (result i32)))
      (memory (export "memory") 4000)
      {HANDLE % "(drop (call $has (call $new) (i32.const 65536) (i32.const 250000000)))"}
      {REALLOC})"""
    with Serving(t, handler(t, "large", module)) as server:
        with watched(server, "relative", 400):
            for _ in range(3):
                assert server.get("/").status == 500
        assert all("more host memory than allowed" in record["error"] for record in server.records(3)
                   if record.get("status") == 500), server.lines
