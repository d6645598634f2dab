"""Bad days: backends that fail, break or are killed, and clients that go."""

import json
import socket
import subprocess
import sys

from app.features.gateway.tests.conftest import ADMIN, at_once
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import ROOT, free_port


def test_a_request_that_fails_is_answered_by_another_backend(gateway, backends, wait_for):
    good, bad = backends(name="good"), backends(name="bad")
    client = gateway(good, bad)
    bad.status = 500
    assert {client.text() for _ in range(6)} == {"good: hi"}
    bad.status = 200
    wait_for(lambda: {client.text() for _ in range(4)} == {"good: hi", "bad: hi"})


def test_what_the_client_did_wrong_is_told_and_not_sent_again(gateway, backends):
    one, other = backends(name="one"), backends(name="two")
    client = gateway(one, other)
    status, body, headers = client.chat("[400]")
    assert (status, body["error"]["code"], headers["X-Backend"] in ("one", "two")) == (400, "c", True)
    assert one.began + other.began == 1


def test_a_key_that_a_backend_refuses_is_not_the_clients_fault(gateway, backends):
    one = backends()
    status, body, _ = gateway(one).chat("[401]")
    assert (status, body["error"]["code"], body["error"]["type"]) == (503, "no_backend", "server_error")


def test_a_good_status_with_a_page_or_an_error_is_no_success(gateway, backends, wait_for):
    client = gateway(backends())
    for prompt in ("[html]", "[error]"):
        assert client.text(prompt) == "no_backend", prompt
    body = {"model": "small", "stream": True, "messages": [{"role": "user", "content": "[error]"}]}
    status, told, _ = client.ask("POST", "/v1/chat/completions", body)
    assert (status, "out of memory" in told["error"]["message"]) == (503, True)
    wait_for(lambda: [call["outcome"] for call in client.calls()] == ["no_backend"] * 3)


def test_what_clients_can_cause_opens_no_breaker(gateway, backends):
    client = gateway(backends(), MAX_CONSECUTIVE_FAILURES="1")
    for prompt, code in (("[404]", "model_not_found"), ("[429]", "rate_limited"), ("[error]", "no_backend")):
        assert client.text(prompt) == code
        assert client.stats()["one"]["state"] == "closed"


def test_an_impossible_usage_does_not_keep_calls_from_the_log(gateway, backends, wait_for):
    client = gateway(backends())
    assert client.text("[huge]") == "one: [huge]"
    found = wait_for(lambda: client.calls())
    assert 0 < found[0]["input_tokens"] < 2**31
    assert found[0]["output_tokens"] >= 0


def test_an_address_that_settings_may_not_name_is_left_out(gateway, backends):
    one = backends()
    client = gateway(GATEWAY_BACKENDS=f"one={one.url},bad=http://8.8.8.8/v1")
    assert list(client.stats()) == ["one"]
    assert client.chat(model="large")[0] == 404


def test_all_backends_down_and_back(gateway, backends, wait_for):
    one, two = backends(name="one"), backends(name="two")
    client = gateway(one, two, MAX_CONSECUTIVE_FAILURES="1")
    one.status = two.status = 500
    wait_for(lambda: {state["state"] for state in client.stats().values()} == {"open"})

    def refused():
        """Return an answer of which no backend was asked; now and then one of them is tried."""
        answer = client.chat()
        return "one: open" in answer[1]["error"]["message"] and answer

    status, body, headers = wait_for(refused)
    assert (status, body["error"]["code"]) == (503, "no_backend")
    assert int(headers["Retry-After"]) >= 1
    asked = one.began + two.began
    assert client.chat()[0] == 503
    assert one.began + two.began <= asked + 1  # a dead pool is not hammered
    one.status = two.status = 200
    wait_for(lambda: {client.text() for _ in range(4)} == {"one: hi", "two: hi"})


def test_a_stream_that_breaks_ends_with_an_error_and_is_not_begun_again(gateway, backends):
    one, two = backends(name="one"), backends(name="two")
    client, seen = gateway(one, two), []
    client.stream("[cut]", seen)
    assert "[DONE]" not in seen
    assert json.loads(seen[-1])["error"]["code"] == "backend_failed"
    assert one.began + two.began == 1


def test_a_backend_that_is_killed_in_the_middle_of_fifty_streams(gateway, wait_for):
    command = [sys.executable, "-m", "app.features.gateway.tests.backend", str(free_port()), "victim"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            client = gateway(GATEWAY_BACKENDS=f"victim={url}")
            wait_for(lambda: client.stats()["victim"]["models"])
            seen = [[] for _ in range(50)]
            threads = at_once(50, lambda number: client.stream("[endless]", seen[number]))
            wait_for(lambda: all(len(one) > 2 for one in seen))
        finally:
            process.kill()
        for thread in threads:
            thread.join(LIMIT_SECONDS)
        assert not any(thread.is_alive() for thread in threads)
    assert {json.loads(one[-1])["error"]["code"] for one in seen} == {"backend_failed"}
    wait_for(lambda: client.stats()["victim"]["in_flight"] == 0)


def test_a_call_ends_when_its_client_is_gone(gateway, backends, wait_for):
    one = backends()
    client = gateway(one)
    for more in ({"stream": True}, {}):
        prompt = "[endless]" if more else "[hold]"
        body = json.dumps({"model": "small", "messages": [{"role": "user", "content": prompt}], **more})
        began, ended = one.began, one.ended
        with socket.create_connection(("127.0.0.1", client.server.port)) as sock:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {ADMIN}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            sock.sendall((head + body).encode())
            wait_for(lambda before=began: one.began > before)
        wait_for(lambda before=ended: one.ended > before)
    wait_for(lambda: [call["outcome"] for call in client.calls()].count("client_gone") == 2)
    assert client.stats()["one"]["state"] == "closed"


def test_one_key_cannot_starve_the_others(gateway, backends, wait_for):
    one = backends()
    client = gateway(one)
    changed = client.ask("GET", "/api/backends")[1]["items"][0]["id"]
    client.ask("PATCH", f"/api/backends/{changed}", {"max_concurrency": 1})
    import threading

    one.gate = threading.Event()
    order = []
    threads = at_once(10, lambda number: order.append(("greedy", client.chat(f"g{number}")[0])))
    wait_for(lambda: client.ask("GET", "/admin/stats")[1]["waiting"] == 9)

    def modest(_number):
        body = {"model": "small", "messages": [{"role": "user", "content": "m"}]}
        order.append(("modest", client.ask("POST", "/v1/chat/completions", body, key="")[0]))

    threads += at_once(1, modest)
    wait_for(lambda: client.ask("GET", "/admin/stats")[1]["waiting"] == 10)
    one.gate.set()
    for thread in threads:
        thread.join(LIMIT_SECONDS)
    prompts = [seen["messages"][0]["content"] for seen in one.seen]
    assert prompts.index("m") <= 2
    assert {status for _, status in order} == {200}
