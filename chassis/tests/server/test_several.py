"""Two workers on one port: one connection serves the sessions of both, and events reach all clients."""

import http.client
import json
import subprocess
from contextlib import ExitStack

import pytest

from chassis.tests.conftest import ASYNC_MODE, TRANSPORTS, free_port, serving
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.server.conftest import Client
from chassis.tests.server.several import ALL, MATRIX, POLL, Kept, echoed, one_of_each, worker_of
from chassis.tests.server.wire import Wire
from chassis.tests.services import redis_server

pytestmark = pytest.mark.skipif(ASYNC_MODE == "threading", reason="only our own workers hand connections over")
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 200; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream service {{ server 127.0.0.1:{service}; keepalive 2; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


@pytest.fixture(scope="module", params=[*TRANSPORTS, "redis"])
def pair(request, tool, tmp_path_factory):
    """The matrix application with two workers, whose messages go through their memory or through Redis."""
    folder, transport, env = tmp_path_factory.mktemp("pair"), request.param, dict(ALL)
    with ExitStack() as stack:
        if transport == "redis":
            transport = "fast"
            env["REDIS_URL"] = stack.enter_context(redis_server(tool("redis-server"), folder))
        start = stack.enter_context(serving(folder))
        yield start(command=MATRIX, GUNICORN_WORKERS="2", SOCKET_TRANSPORT=transport, **env)


def test_one_connection_serves_the_sessions_of_both_workers(pair):
    sids, one = one_of_each(pair, lambda: Kept(pair).session()), Kept(pair)
    for number, sid in enumerate(sids * 5):
        assert f'42["echo","{number}"]' in echoed(one, sid, number)


def test_requests_sent_together_are_answered_in_their_order(pair):
    sids = one_of_each(pair)
    requests = []
    for sid in (*sids, *sids):
        head = f"POST {POLL}&sid={sid} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n40"
        requests += [head.encode(), b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    wire = Wire(pair.port).send(*requests[:4])
    assert [wire.answer()[0] for _ in requests[:4]] == [200] * 4


def test_a_first_line_may_come_in_pieces(pair):
    for sid in one_of_each(pair):
        wire = Wire(pair.port)
        head = f"\r\nPOST {POLL}&sid={sid} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n40"
        for start in range(0, len(head), 9):
            wire.send(head[start : start + 9].encode())
        assert wire.answer()[0] == 200


@pytest.mark.parametrize("sid", ["999999.abc", "1", "0.abc", "x.y", "99999999999.a", "."])
def test_a_session_that_no_worker_has_is_unknown(pair, sid):
    status, text = Kept(pair).ask(f"{POLL}&sid={sid}")
    assert (status, "Session ID unknown" in text or "Invalid session" in text) == (400, True)


def test_a_forged_session_of_another_worker_is_unknown_and_costs_it_nothing(pair):
    sids, one = one_of_each(pair, lambda: Kept(pair).session()), Kept(pair)
    for sid in sids * 3:
        status, text = one.ask(f"{POLL}&sid={worker_of(sid)}.forged", "40")
        assert (status, "Session ID unknown" in text or "Invalid session" in text) == (400, True)
        assert f'42["echo","{sid}"]' in echoed(one, sid, sid)


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]])
def test_clients_of_each_transport_are_served(pair, transports):
    clients = [Client().join(pair.url, transports=transports) for _ in range(8)]
    for number, client in enumerate(clients):
        assert client.call("echo", number) == number
        client.disconnect()


def test_nginx_may_share_its_connections_among_clients(pair, tool, tmp_path):
    port = free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(folder=tmp_path, port=port, service=pair.port))
    with subprocess.Popen([tool("nginx"), "-c", str(config), "-e", str(tmp_path / "error.log")]) as nginx:
        try:
            wait_until(lambda: _answers(port))
            clients = [Client().join(f"http://127.0.0.1:{port}", transports=["polling"]) for _ in range(6)]
            for number, client in enumerate(clients * 3):
                assert client.call("echo", number) == number
            for client in clients:
                client.disconnect()
        finally:
            nginx.terminate()


def _answers(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except OSError:
        return False


def on_each(server, **options):
    """Return two connected clients of different workers."""
    clients = {}

    def both():
        one = Client().join(server.url, transports=["websocket"], **options)
        if clients.setdefault(worker_of(one.eio.sid), one) is not one:
            one.disconnect()
        return len(clients) == 2

    wait_until(both, "one worker takes all clients")
    return list(clients.values())


def test_events_and_rooms_reach_the_clients_of_both_workers(pair):
    one, two = on_each(pair)
    for client in (one, two):
        client.call("join", "tea")
    one.call("shout", ("tea", "hello", False))
    two.call("everybody", "you all")
    for word in ("hello", "you all"):
        wait_until(lambda word=word: [word] in two.got("heard"))
    wait_until(lambda: ["you all"] in one.got("heard"))
    assert ["hello"] not in one.got("heard")
    one.call("close", "tea")
    wait_until(lambda: two.call("join", "other") == sorted([two.get_sid(), "other"]))
    assert pair.request("POST", "/emit")[0] == 200
    wait_until(lambda: ["from a request"] in one.got("heard") and ["from a request"] in two.got("heard"))
    for client in (one, two):
        client.disconnect()


def test_any_worker_can_ask_and_disconnect_a_client(pair):
    clients = on_each(pair)
    for client in clients:
        wanted = client.get_sid()
        for other in clients:
            asked = f"/ask/{wanted}?sid={other.eio.sid}"
            assert json.loads(Kept(pair).ask(asked)[1]) == "answer to anybody?"
    assert Kept(pair).ask(f"/send-away/{clients[0].get_sid()}?sid={clients[1].eio.sid}", "x")[0] == 200
    wait_until(lambda: not clients[0].connected)
    assert clients[1].connected
    clients[1].disconnect()
