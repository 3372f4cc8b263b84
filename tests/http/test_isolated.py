"""examples/isolated through a client: a pricing component that traps and spins, and a page that goes on."""

from serving import Serving


def shop(t, more="", policy="reused"):
    """The example, with the limits of the test."""
    built = t.guests.parent / "examples/isolated"
    t.file("tenon.toml", f"""
name = "shop"
[components.page]
source = "{built}/page.wasm"
[components.page.links]
"shop:pricing/quote" = {{ to = "pricing", via = "isolated", max-memory = "16M", instances = "{policy}"{more} }}
[components.pricing]
source = "{built}/pricing.wasm"
""")


def test_a_page_outlives_a_callee_that_traps(t):
    shop(t)
    with Serving(t, t.folder) as server, server.client() as client:
        answer = client.get("/tea,cursed,cake")
        assert answer.status == 200, answer
        tea, cursed, cake = answer.text.splitlines()
        assert (tea, cake) == ("tea: 2.50", "cake: 4.20"), answer
        assert cursed.startswith("cursed: no price, the isolated link from page to pricing failed: the callee trapped: "), answer
        # The next request has a pricing that works.
        assert client.get("/cake").text == "cake: 4.20\n"


def test_a_page_outlives_a_callee_that_spins(t):
    shop(t, ', timeout = "50ms"')
    with Serving(t, t.folder) as server, server.client() as client:
        answer = client.get("/maze")
        assert answer.status == 200, answer
        assert answer.text == ("maze: no price, the isolated link from page to pricing failed: "
                               "DEADLINE: the callee was not done after 50 ms\n"), answer


def test_others_are_served_while_a_callee_spins(t):
    shop(t, policy="fresh")
    with Serving(t, t.folder, "--threads", "1", "--timeout", "3s") as server:
        with server.client() as spins, server.client() as quick:
            spins.request("GET", "/maze")
            for _ in range(20):
                assert quick.get("/tea").text == "tea: 2.50\n"
            # Its own time is up, and nobody is left to be told of the callee's.
            assert spins.read_answer().status == 504


def test_who_finds_the_only_instance_busy_waits_for_it(t):
    shop(t, ', timeout = "300ms"')
    with Serving(t, t.folder, "--threads", "1") as server:
        with server.client() as spins, server.client() as waits:
            spins.request("GET", "/maze,maze")
            for _ in range(3):
                assert waits.get("/tea").text == "tea: 2.50\n"
            assert spins.read_answer().text.count("DEADLINE") == 2


def test_who_waits_too_long_is_told_that_there_is_no_room(t):
    shop(t, ', timeout = "1h"')
    with Serving(t, t.folder, "--threads", "1", "--timeout", "60s", "--shutdown-timeout", "1s", clean=False) as server:
        with server.client() as spins, server.client() as waits:
            spins.request("GET", "/maze")
            # Until the first has the instance.
            while True:
                text = waits.get("/tea").text
                if text != "tea: 2.50\n":
                    break
            assert text == ("tea: no price, the isolated link from page to pricing failed: OVERLOADED: a call of pricing "
                            "goes on, and none ended within 10000 ms\n"), text
