"""Workloads in which several components answer: the manifest's [http.routes]."""

from serving import Serving

COMPONENTS = """
[components.web]
source = "{web}"
env = {{ WHO = "web" }}
[components.hello]
source = "{hello}"
"""


def workload(t, routes, more=""):
    components = COMPONENTS.format(web=t.guest("http_web"), hello=t.guest("http_hello"))
    t.file("tenon.toml", f"{components}{more}\n[http.routes]\n{routes}")
    return t.folder


def ask(server, target, host="test"):
    return server.raw(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")


def test_a_request_goes_to_the_component_of_its_path(t):
    folder = workload(t, '"/" = "web"\n"/hello" = "hello"\n"/hello/not" = "web"\n')
    with Serving(t, folder) as server:
        assert ask(server, "/").text == "Hello from the web\n"
        for target in ("/hello", "/hello/", "/hello/x?y", "/hello?x"):
            assert ask(server, target).text == "Hello, world!\n", target
        for target in ("/hellos", "/hello/not", "/Hello"):
            assert ask(server, target).status == 404 and "no such path" in ask(server, target).text, target
        # The path arrives as it was sent.
        assert ask(server, "/request/../request?a=%20").status == 404
        assert ask(server, "/request?a=%20").text.startswith("Method::Get /request?a=%20\n")
        # Requests of one connection may go to different components.
        with server.client() as client:
            for _ in range(20):
                assert client.get("/served").text == "1\n"
                assert client.get("/hello").text == "Hello, world!\n"


def test_a_request_goes_to_the_component_of_its_host(t):
    folder = workload(t, '"shop.test" = "hello"\n"*.shop.test" = "web"\n"[::1]/" = "hello"\n')
    with Serving(t, folder) as server:
        assert ask(server, "/", "shop.test").text == "Hello, world!\n"
        assert ask(server, "/", "SHOP.test:8080").text == "Hello, world!\n"
        assert ask(server, "/", "a.b.shop.test").text == "Hello from the web\n"
        assert ask(server, "/", "[::1]:80").text == "Hello, world!\n"
        assert ask(server, "http://shop.test/", "a.shop.test").text == "Hello, world!\n"


def test_a_request_that_no_route_is_for_is_a_404(t):
    folder = workload(t, '"shop.test/hello" = "hello"\n')
    with Serving(t, folder) as server, server.client() as client:
        for target, fields in (("/hello", []), ("/", [])):
            client.request("GET", target, fields)
            answer = client.read_answer()
            assert answer.status == 404 and answer.text == "404 Not Found\n", answer
        client.request("POST", "/hello", body=b"x" * 10000)
        assert client.read_answer().status == 404
        client.send("GET /hello HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert client.read_answer().text == "Hello, world!\n"
        record = server.records(4)[0]
        assert record["status"] == 404 and "no route" in record["error"], record


def test_options_are_for_the_component_that_answers(t):
    folder = workload(t, '"/" = "web"\n"/hello" = "hello"\n')
    with Serving(t, folder, "--env", "MORE=1") as server:
        assert ask(server, "/env").text == "MORE=1\nWHO=web\n"
    with Serving(t, folder, "--env", "WHO=me") as server:
        assert ask(server, "/env").text == "WHO=me\n"
    with Serving(t, folder, "--component", "hello") as server:
        assert ask(server, "/env").text == "Hello, world!\n"


def test_reused_instances_keep_to_their_routes(t):
    folder = workload(t, '"/" = "web"\n"/hello" = "hello"\n')
    with Serving(t, folder, "--reuse", "3") as server, server.client() as client:
        for count in (1, 2, 3, 1):
            assert client.get("/hello").text == "Hello, world!\n"
            assert client.get("/served").text == f"{count}\n"


def test_several_components_that_answer_need_routes(t):
    folder = workload(t, "")
    t("serve", folder).refused(125, "2 components of the workload answer HTTP requests")


def test_routes_that_cannot_be_are_refused_all_at_once(t):
    folder = workload(t, '"/" = "wep"\n"/x" = "web"\n"/x/" = "hello"\n"a:80/" = "web"\n')
    refused = t("serve", folder).refused(125, "tenon.toml:9:7: route '/': there is no component 'wep'; did you mean 'web'?")
    assert len(refused.details) == 2, refused
    assert "tenon.toml:11:9: route '/x/' is there already, as '/x'" in refused.details[0], refused
    assert "no port" in refused.details[1], refused
    t("plan", folder).refused(125, "wep")


def test_a_route_to_a_component_that_answers_no_requests_is_refused(t):
    folder = workload(t, '"/" = "web"\n"/run" = "cli"\n"/too" = "cli"\n', f'[components.cli]\nsource = "{t.guest("cli")}"\n')
    refused = t("serve", folder).refused(125, "2 problems")
    text = refused.err
    assert "tenon.toml:12:10: route '/run': component 'cli' answers no requests" in text, refused
    assert "tenon.toml:13:10: route '/too'" in text and "cli exports wasi:cli/run" in text, refused
    t("plan", folder).exited(125)


def test_the_manifest_says_how_it_is_served(t):
    serve = '[serve]\nmax-headers = 3\nthreads = 2\ncomponent = "hello"\n'
    folder = workload(t, '"/" = "web"\n', serve)
    many = "GET / HTTP/1.1\r\nHost: a\r\n" + "".join(f"X-{i}: 1\r\n" for i in range(4)) + "\r\n"
    with Serving(t, folder) as server:
        assert ask(server, "/").text == "Hello, world!\n"
        assert server.raw(many).status == 431
    # The command line beats it.
    with Serving(t, folder, "--max-headers", "20", "--component", "web") as server:
        assert server.raw(many).text == "Hello from the web\n"


def test_a_timeout_of_the_manifest_ends_a_guest_that_spins(t):
    folder = workload(t, '"/" = "web"\n')
    manifest = folder / "tenon.toml"
    manifest.write_text('timeout = "300ms"\n' + manifest.read_text())
    with Serving(t, folder) as server:
        assert ask(server, "/spin").status == 504
