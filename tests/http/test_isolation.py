"""`tenon serve`: nothing of one request is in another, although memories, tables, stacks and contexts of instances that
ended are used again."""

import concurrent.futures

from serving import Serving


def test_no_instance_finds_what_another_left_in_its_memory(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        for value in range(1, 31):
            assert client.get(f"/mark?value={value}").text == "131072 marks\n"
            assert client.get(f"/search?value={value}").text == "0 marks\n"
    # The search finds what there is.
    with Serving(t, "@http_web", "--reuse", "2") as server, server.client() as client:
        client.get("/mark?value=7")
        assert client.get("/search?value=7").text == "131072 marks\n"


def test_no_instance_finds_what_one_that_trapped_left(t):
    with Serving(t, "@http_web") as server, server.client() as client:
        for value in range(1, 11):
            assert client.get(f"/mark-and-trap?value={value}").status == 500
            assert client.get(f"/search?value={value}").text == "0 marks\n"


def test_bodies_of_requests_that_take_turns_do_not_mix(t):
    def talk(server, letter, rounds):
        body = letter.encode() * 150_000
        with server.client() as client:
            for _ in range(rounds):
                client.send(f"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n")
                for begin in range(0, len(body), 7_000):
                    client.send(body[begin : begin + 7_000])
                answer = client.read_answer()
                assert answer.status == 200 and answer.body == body, (letter, set(answer.body), len(answer.body))

    with Serving(t, "@http_web") as server, concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(talk, server, letter, 6) for letter in "abcdefgh"]:
            done.result()
