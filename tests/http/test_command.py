"""`tenon serve` as a command: its words, and where its log goes."""

import re
import signal
import subprocess

from serving import Client


def test_words_that_are_off_are_explained(t):
    t("serve", "--component", "x", "@http_hello").refused(125, "--component is for workloads")
    t("serve", "--reuse", "-1", "@http_hello").refused(125, "--reuse: '-1' is not a number")
    for option in ("--threads", "--max-requests", "--max-headers", "--max-connections", "--reuse"):
        t("serve", option, "0", "@http_hello").refused(125, f"{option}: must be 1 or more")
    t("serve", "--log-file", "/nope/x", "@http_hello").refused(125, "the log /nope/x cannot be opened: No such file")
    t("serve", "--log", "xml", "@http_hello").refused(125, "--log: 'xml' is no format: write text, json or none")
    t("serve", "--tls-cert", "nowhere.pem", "@http_hello").refused(
        125, "--tls-cert: nowhere.pem cannot be read: No such file or directory")
    t.file("empty.pem")
    t("serve", "--tls-cert", "empty.pem", "@http_hello").refused(125, "empty.pem cannot be read: it is empty")
    t.file("wrong.pem", "this is no certificate")
    ended = t("serve", "--tls-cert", "wrong.pem", "--tls-key", "wrong.pem", "@http_hello").refused(125, "TLS")
    assert ended.details == ["  certificate: wrong.pem", "  key: wrong.pem"], str(ended)


def test_help_says_what_holds_without_an_option(t):
    text = t("serve", "--help").succeeded().out
    for option, default in (("--addr", "127.0.0.1:8080"), ("--threads", "1"), ("--reuse", "1"), ("--max-head", "32K"),
                            ("--max-requests", "512"), ("--header-timeout", "15s"), ("--log", "text"),
                            ("--timeout", "60s"), ("--max-memory", "4G")):
        assert re.search(rf"{option} [^ ]*={re.escape(default)}\s", text), (option, text)


def test_a_folder_without_a_manifest_is_no_file_to_serve(t):
    (t.folder / "bare").mkdir()
    t("serve", "bare").refused(126, "bare: this is a directory without a tenon.toml")


def test_a_workload_in_which_nobody_answers_is_refused(t):
    t.file("tenon.toml", f'[components.idle]\nsource = "{t.guest("types")}"\n')
    t("serve", "tenon.toml").refused(
        126, "tenon: tenon.toml: no component of the workload exports wasi:http/incoming-handler: it answers no requests")
    t("serve", "@types").refused(126, "types.wasm: the component does not export wasi:http/incoming-handler")


def test_a_log_that_nobody_reads_stops_no_request(t):
    process = t.start("serve", "--addr", "127.0.0.1:0", t.guest("http_hello"), stderr=subprocess.PIPE)
    try:
        port = int(re.search(rb":(\d+)$", process.stderr.readline().strip())[1])
        # More lines than a pipe and the server keep.
        count = 6000
        with Client(port) as client:
            for _ in range(count):
                assert client.get("/").status == 200
        process.send_signal(signal.SIGTERM)
        lines = process.stderr.read().decode().splitlines()
        assert process.wait(30) == 0, lines[-3:]
        lost = sum(int(line.split()[1]) for line in lines if line.startswith("# "))
        answered = sum(1 for line in lines if "GET / HTTP/1.1" in line)
        assert lost > 0 and lost + answered == count, (lost, answered)
    finally:
        process.kill()
        process.wait()
