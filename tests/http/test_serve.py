"""`tenon serve`: what a client and a guest get when all is well."""

import concurrent.futures
import json
import re
import subprocess
import threading
import time
from random import Random

from harness import both_links
from serving import Serving


@both_links
def test_a_rust_component_answers(t):
    with Serving(t, "@http_hello") as server:
        answer = server.get("/")
        assert (answer.status, answer.body) == (200, b"Hello, world!\n"), answer
        assert answer.field("content-length") == "14", answer
        assert answer.field("date"), answer


def test_curl_gets_a_page(t):
    with Serving(t, "@http_web") as server:
        done = subprocess.run(["curl", "-sS", "-i", server.url + "/"], capture_output=True, text=True)
        assert done.returncode == 0, done
        assert "HTTP/1.1 200 OK" in done.stdout and "Hello from the web" in done.stdout, done


def test_a_connection_serves_many_requests_and_pipelined_ones(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        for _ in range(50):
            assert client.get("/").status == 200
        client.send("GET /status?code=201 HTTP/1.1\r\nHost: a\r\n\r\n" * 5)
        assert [client.read_answer().status for _ in range(5)] == [201] * 5


def test_the_guest_sees_the_request(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        answer = client.get("/request?a=b%20c", [("X-Some", " spaced "), ("Connection", "keep-alive")])
        lines = answer.text.splitlines()
        assert lines[0] == "Method::Get /request?a=b%20c", lines
        assert lines[1] == "scheme Some(Scheme::Http)", lines
        assert lines[2] == 'authority Some("test")', lines
        assert lines[3:] == ["X-Some: spaced"], lines
        client.request("BREW", "http://other:81/request?x")
        lines = client.read_answer().text.splitlines()
        assert lines[0] == 'Method::Other("BREW") /request?x', lines
        assert lines[2] == 'authority Some("other:81")', lines


def test_field_names_keep_their_casing(t):
    # Source: wasi:http/types, `fields.entries`: "always returned in the original casing".
    with Serving(t, "@http_web") as server, server.client() as client:
        lines = client.get("/request", [("aCCEPT", "x"), ("x-UP", "1"), ("X-Up", "2")]).text.splitlines()
        assert lines[3:] == ["X-Up: 2", "aCCEPT: x", "x-UP: 1"], lines
        client.send("GET /casing HTTP/1.1\r\nhOST: a\r\ncONNECTION: close\r\n\r\n")
        raw = b""
        while client.fill():
            raw, client.buffer = raw + client.buffer, b""
        head, body = raw.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        assert lines[1:4] == ["X-cASE: 1", "x-Case: 2", 'ETag: "3"'], lines
        assert body == b"0\r\nX-tRAILER: 4\r\n\r\n", body


def test_each_request_has_a_fresh_instance_unless_it_is_reused(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        assert [client.get("/served").text for _ in range(4)] == ["1\n"] * 4
    with Serving(t, "@http_web", "--reuse", "3") as server, server.client() as client:
        assert [client.get("/served").text for _ in range(7)] == [f"{n}\n" for n in (1, 2, 3, 1, 2, 3, 1)]


def test_head_has_no_body(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        client.request("HEAD", "/")
        answer = client.read_answer(head=True)
        assert answer.status == 200 and answer.field("content-length") == "19", answer
        assert client.get("/status?code=204").status == 204
        assert client.get("/status?code=304").body == b""
        assert client.get("/").status == 200


def test_bodies_are_echoed_with_a_length_and_in_chunks(t):
    data = bytes(range(256)) * 5000
    with Serving(t, "@http_web") as server, server.client() as client:
        client.request("POST", "/echo", body=data)
        assert client.read_answer().body == data
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (b"one", b"two" * 1000, b"x"):
            client.send(b"%x;ext=1\r\n%s\r\n" % (len(part), part))
        client.send("0\r\nX-Sum: 7\r\n\r\n")
        answer = client.read_answer()
        assert answer.body == b"one" + b"two" * 1000 + b"x", answer
        assert answer.trailers == [("x-trailers", "X-Sum: 7")], answer.trailers


def test_bodies_that_are_passed_on_arrive_unchanged_whatever_their_clients_speeds(t):
    def chunks(data, random):
        while data:
            size = random.choice((1, 255, 4096, 65536, 1 << 20))
            yield b"%x\r\n%s\r\n" % (len(data[:size]), data[:size])
            data = data[size:]
        yield b"0\r\n\r\n"

    with Serving(t, "@http_web") as server:
        def echo(number):
            random = Random(number)
            data = random.randbytes(6_000_000)
            chunked = number % 2 == 1
            framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(data)}"

            def send(client):
                client.send(f"POST /echo HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n")
                for part in chunks(data, random) if chunked else (data[:100], data[100:3_000_000], data[3_000_000:]):
                    client.send(part)

            with server.client() as client:
                sending = threading.Thread(target=send, args=(client,))
                sending.start()
                if number % 4 >= 2:
                    time.sleep(0.3)  # until nothing moves any more
                answer = client.read_answer()
                sending.join()
            return answer.whole and answer.body == data

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert all(pool.map(echo, range(8)))


def test_both_directions_stream_at_once(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send("5\r\nfirst\r\n")
        # The answer comes before the request has ended.
        assert client.line() == "HTTP/1.1 200 OK"
        client.read_fields()
        assert client.take(10) == b"5\r\nfirst\r\n"
        client.send("6\r\nsecond\r\n")
        assert client.take(11) == b"6\r\nsecond\r\n"
        client.send("0\r\n\r\n")
        assert client.take(5) == b"0\r\n\r\n"


def test_what_was_flushed_arrives_while_the_guest_waits(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        client.request("GET", "/ticks?n=2&ms=60000")
        assert client.line() == "HTTP/1.1 200 OK"
        client.read_fields()
        assert client.take(12) == b"7\r\ntick 0\n\r\n"
        server.clean = False
        server.process.kill()


def test_trailers_arrive(t):
    with Serving(t, "@http_web") as server:
        answer = server.get("/trailers")
        assert answer.trailers == [("x-sum", "42")] and answer.body == b"content\n", answer


def test_large_bodies_stream_in_flat_memory(t):
    size = 300_000_000
    with Serving(t, "@http_web", "--timeout", "5m") as server, server.client() as client:
        client.get("/")
        before = server.memory()
        client.request("GET", f"/bytes?n={size}")
        client.line()
        client.read_fields()
        total = 0
        while True:
            chunk = int(client.line(), 16)
            if chunk == 0:
                break
            total += len(client.take(chunk))
            client.line()
        assert total == size
        assert server.memory() - before < 20_000, (before, server.memory())


def test_expect_continue_is_answered_when_the_guest_reads(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert client.line() == "HTTP/1.1 100 Continue" and client.line() == ""
        client.send("12345")
        assert client.read_answer().text == "5 bytes\n"
        # A guest that does not read does not ask for it.
        client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        answer = client.read_answer()
        assert answer.text == "did not read\n" and not answer.informational, answer


def test_http_1_0_is_answered(t):
    with Serving(t, "@http_web") as server:
        answer = server.raw("GET / HTTP/1.0\r\n\r\n")
        assert answer.status == 200 and answer.field("connection") == "close", answer
        answer = server.raw("GET /ticks?n=2&ms=1 HTTP/1.0\r\n\r\n")
        assert answer.text == "tick 0\ntick 1\n" and not answer.field("transfer-encoding"), answer
        with server.client() as client:
            client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)
            assert client.read_answer().field("connection") == "keep-alive"
            assert client.read_answer().status == 200


def test_connection_close_closes(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        answer = client.get("/", [("Connection", "close")])
        assert answer.status == 200 and answer.field("connection") == "close" and client.at_end()


def test_guests_get_environment_directories_and_streams(t):
    t.file("note", "a note")
    options = ["--env", "COLOUR=blue", "--dir", f"{t.folder}::/data:ro"]
    with Serving(t, "@http_web", *options) as server:
        assert server.get("/env").text == "COLOUR=blue\n"
        assert server.get("/file?name=/data/note").text == "a note"
        assert server.get("/file?name=/etc/passwd").status == 404
        assert server.get("/stdout").status == 200
        server.wait_for(server.objects, lambda lines: any(x.get("stderr") == "to stderr" for x in lines))


def test_what_a_guest_writes_has_the_id_of_its_request(t):
    with Serving(t, "@http_web") as server:
        server.get("/stdout")
        server.get("/trap")
        written, trapped = server.records(2)
        lines = [line for line in server.objects() if "stderr" in line]
        assert lines[0]["stderr"] == "to stderr" and lines[0]["id"] == written["id"], lines
        assert lines[1]["id"] == trapped["id"] and "on purpose" in str(lines), lines
        assert all(line["time"].endswith("Z") for line in lines), lines
        # In the order in which it happened, which is that of the requests.
        order = [line["id"] for line in server.objects() if "id" in line]
        assert order == sorted(order, key=order.index) and order[0] == written["id"], order
        out = json.loads(server.process.stdout.readline())
        assert out["stdout"] == "to stdout" and out["id"] == written["id"], out
    with Serving(t, "@http_web", log="text") as server:
        server.get("/stdout")
        server.get("/drop")
        lines = server.wait_for(lambda: list(server.lines), lambda lines: len(lines) >= 4)
        at = next(i for i, line in enumerate(lines) if line.endswith(" | to stderr"))
        name = re.search(r"^[0-9T:.-]+Z id=([0-9a-f]{16}) \| ", lines[at])[1]
        assert lines[at + 1].endswith(f"id={name}"), lines
        assert re.search(f"Z id={name} \\| to stdout$", server.process.stdout.readline().decode().strip())
    for options, log in ((("--no-prefix",), "text"), ((), "none")):
        with Serving(t, "@http_web", *options, log=log) as server:
            server.get("/stdout")
            server.wait_for(lambda: list(server.lines), lambda lines: "to stderr" in lines)


def test_all_of_standard_error_is_json_when_the_log_is(t):
    with Serving(t, "@http_web") as server:
        server.get("/trap")
        server.raw("rubbish\r\n\r\n")
        server.records(2)
        assert server.objects()[0]["level"] == "info" and "serving" in server.objects()[0]["message"]
    ended = t("serve", "--log", "json", "--addr", "nonsense", "@http_web")
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert ended.code == 125 and lines[0]["level"] == "error" and "nonsense" in lines[0]["message"], str(ended)


def test_many_connections_on_several_threads(t):
    with Serving(t, "@http_web", "--threads", "2") as server:
        def work(number):
            with server.client() as client:
                for i in range(20):
                    data = b"%d-%d" % (number, i) * 100
                    client.request("POST", "/echo", body=data)
                    assert client.read_answer().body == data
            return True

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            assert all(pool.map(work, range(32)))


def test_the_log_has_a_line_for_each_request(t):
    with Serving(t, "@http_web") as server:
        server.post("/length?x=%22", b"12345")
        record = server.records()[0]
        assert record["method"] == "POST" and record["target"] == "/length?x=%22", record
        assert record["status"] == 200 and record["received"] == 5 and record["sent"] == 8, record
        assert record["client"].startswith("127.0.0.1:") and record["ms"] > 0, record
    with Serving(t, "@http_web", log="text") as server:
        server.raw('GET /a"b\x1b HTTP/1.1\r\nHost: a\r\n\r\n')
        server.get('/a"b')
        lines = server.wait_for(lambda: [x for x in list(server.lines) if " 404 " in x], bool)
        assert '"GET /a\\"b HTTP/1.1" 404' in lines[0], lines


def test_a_log_file_is_written(t):
    path = t.folder / "access.log"
    with Serving(t, "@http_web", "--log-file", str(path)) as server:
        server.get("/")
    assert json.loads(path.read_text())["status"] == 200


def test_ports_and_files_that_cannot_be_had_are_refused(t):
    with Serving(t, "@http_web") as server:
        t("serve", "--addr", f"127.0.0.1:{server.port}", "@http_web").refused(125, "in use")
    t("serve", "--addr", "nonsense", "@http_web").refused(125, "nonsense", "HOST:PORT")
    t("serve", "--addr", "127.0.0.1:70000", "@http_web").refused(125, "70000")
    t("serve", "@hello").refused(126, "incoming-handler")
    t("serve", "--tls-cert", "/nowhere", "@http_web").refused(125, "/nowhere")
    t("serve", "--threads", "0", "@http_web").refused(125, "threads")
    t("serve", "/nowhere.wasm").refused(127, "/nowhere.wasm")


def test_a_stopped_server_finishes_its_requests(t):
    with Serving(t, "@http_web") as server, server.client() as idle, server.client() as client:
        idle.get("/")
        client.request("GET", "/ticks?n=2&ms=500")
        client.request("GET", "/never-served")
        while b"tick 0" not in client.buffer:  # the request is in the guest
            assert client.fill()
        server.process.terminate()
        assert client.read_answer().text == "tick 0\ntick 1\n"
        assert client.at_end() and idle.at_end()
        server.process.wait(10)


def test_a_second_signal_cuts_requests_off(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        client.request("GET", "/ticks?n=2&ms=60000")
        client.line()
        server.process.terminate()
        server.wait_for(server.objects, lambda said: any("another signal" in x.get("message", "") for x in said))
        server.process.terminate()
        server.process.wait(10)


def test_the_shutdown_deadline_cuts_requests_off(t):
    with Serving(t, "@http_web", "--shutdown-timeout", "300ms") as server, server.client() as client:
        with server.client() as waiting:
            waiting.request("GET", "/never")
            client.request("GET", "/ticks?n=2&ms=60000")
            client.line()
            server.process.terminate()
            server.process.wait(10)
            records = server.records(2)
            assert all("the server stops" in record["error"] for record in records), records
            assert sorted(record["status"] for record in records) == [200, 503], records


