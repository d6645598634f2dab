"""Two workers as one service: requests on any connection, kept alive or not, reach the worker of their session."""

import http.client
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from chassis.tests.conftest import ASYNC_MODE, TRANSPORTS, free_port, gunicorn, serving
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.server.conftest import Client
from chassis.tests.server.wire import Wire

pytestmark = pytest.mark.skipif(ASYNC_MODE != "eventlet", reason="only our own worker hands connections over")
MATRIX = gunicorn(Path(__file__).parent, "matrix_app:app")
ALL = {"SOCKET_MAX_UNJOINED_PER_ADDRESS": "0", "RATE_LIMIT_DEFAULT": "1000000 per hour", "RATE_LIMIT_BURST": ""}
POLL = "/socket.io/?EIO=4&transport=polling"
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


@pytest.fixture(scope="module", params=TRANSPORTS)
def pair(request, tmp_path_factory):
    """The matrix application with two workers."""
    with serving(tmp_path_factory.mktemp("pair")) as start:
        yield start(command=MATRIX, GUNICORN_WORKERS="2", SOCKET_TRANSPORT=request.param, **ALL)


@pytest.fixture
def own_pair(serve):
    """Return a function that starts two workers for one test."""
    return lambda **env: serve(command=MATRIX, GUNICORN_WORKERS="2", SOCKET_TRANSPORT="fast", **ALL, **env)


class Kept:
    """One connection that is kept alive."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_SECONDS)

    def ask(self, path, body=None):
        self.connection.request("POST" if body else "GET", path, body)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def open(self):
        status, text = self.ask(POLL)
        assert status == 200, text
        return text.partition('"sid":"')[2].partition('"')[0]

    def session(self):
        """Return the id of a new session that has joined the namespace."""
        sid = self.open()
        assert self.ask(f"{POLL}&sid={sid}", "40") == (200, "ok")
        assert '40{"sid"' in self.ask(f"{POLL}&sid={sid}")[1]
        return sid


def worker_of(sid):
    return int(sid.partition(".")[0])


def one_of_each(server, make=None):
    """Return the ids of sessions of two different workers."""
    found = {}

    def both():
        sid = (make or Kept(server).open)()
        found.setdefault(worker_of(sid), sid)
        return len(found) == 2

    wait_until(both, "one worker takes all sessions")
    return list(found.values())


def echoed(connection, sid, word):
    """Send an event in a session and return what its polls get."""
    assert connection.ask(f"{POLL}&sid={sid}", f'42["echo","{word}"]') == (200, "ok")
    return wait_until(lambda: connection.ask(f"{POLL}&sid={sid}")[1])


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


def test_sessions_of_a_killed_worker_are_unknown_and_the_others_go_on(own_pair):
    server = own_pair()
    sids = one_of_each(server, lambda: Kept(server).session())
    victim = pids(server)[worker_of(sids[0])]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in server.workers())
    wait_until(lambda: Kept(server).ask(f"{POLL}&sid={sids[0]}", "3")[0] == 400)
    assert '42["echo","on"]' in echoed(Kept(server), sids[1], "on")
    wait_until(lambda: len(server.workers()) == 2)
    assert len(one_of_each(server)) == 2


def pids(server):
    """Return the pid of each worker by its number."""

    def at(server):
        sid = Kept(server).open()
        return json.loads(Kept(server).ask(f"/worker?sid={sid}")[1])

    return wait_until(lambda: len(found := dict(at(server) for _ in range(4))) == 2 and found)


def test_a_worker_that_does_not_answer_is_said_to_be_busy_and_nothing_hangs(own_pair):
    server = own_pair()
    sids = one_of_each(server)
    stopped = pids(server)[worker_of(sids[0])]
    os.kill(stopped, signal.SIGSTOP)
    try:
        wires = [Wire(server.port).request("POST", f"{POLL}&sid={sids[0]}", body=b"3") for _ in range(40)]
        busy = wait_until(lambda: [wire for wire in wires if not wire.silent()])
        assert busy[0].answer()[0] == 503
    finally:
        os.kill(stopped, signal.SIGCONT)
    statuses = {wire.answer()[0] for wire in wires if wire is not busy[0]}
    assert statuses <= {200, 400, 503}


def test_a_reload_serves_old_sessions_until_they_are_closed_and_fails_nothing(own_pair):
    server = own_pair()
    sids = one_of_each(server, lambda: Kept(server).session())
    seen = {sid: [] for sid in sids}
    server.process.send_signal(signal.SIGHUP)

    def ended():
        for sid, statuses in seen.items():
            statuses.append(Kept(server).ask(f"{POLL}&sid={sid}", '42["echo",1]')[0])
        return all(statuses[-1] == 400 for statuses in seen.values())

    wait_until(ended)
    assert all(set(statuses) <= {200, 400} and statuses[0] == 200 for statuses in seen.values())
    before = {worker_of(sid) for sid in sids}
    assert not before & {worker_of(sid) for sid in one_of_each(server, lambda: Kept(server).session())}


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


def test_new_sessions_go_to_the_worker_with_the_fewest(own_pair):
    server, numbers = own_pair(), []

    def even():
        numbers.append(worker_of(Kept(server).open()))
        counts = [numbers.count(number) for number in set(numbers)]
        return len(numbers) >= 20 and len(counts) == 2 and max(counts) - min(counts) <= 4

    wait_until(even, "one worker has clearly more than the other")
