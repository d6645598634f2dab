"""What requests meet while a worker ends: they are answered, polls too, and kept connections are closed politely."""

import http.client
import json
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import requests

from chassis.tests.conftest import ASYNC_MODE, TRANSPORTS
from chassis.tests.e2e.load import call_all_along
from chassis.tests.e2e.test_drain import SENT_ON
from chassis.tests.patience import LIMIT_SECONDS

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(ASYNC_MODE == "threading", reason="threads keep gunicorn's own worker"),
]
HANDSHAKE = b"""GET /socket.io/?EIO=4&transport=websocket HTTP/1.1
Host: localhost
Connection: Upgrade
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==

""".replace(b"\n", b"\r\n")


class Answer(NamedTuple):
    """What a request got: an answer, or `error` where there was none."""

    status_code: int = 0
    headers: Mapping[str, str] = {}
    text: str = ""
    error: Exception | None = None


class Answers:
    """Requests that wait for their answers in threads."""

    def __init__(self) -> None:
        self.got: list[Answer] = []

    def ask(self, url: str) -> threading.Thread:
        """Send a request, and read its answer in the thread that is returned."""
        split = urlsplit(url)
        connection = http.client.HTTPConnection(split.netloc, timeout=LIMIT_SECONDS)
        connection.request("GET", f"{split.path}?{split.query}")
        thread = threading.Thread(target=self._read, args=(connection,))
        thread.start()
        return thread

    def _read(self, connection: http.client.HTTPConnection) -> None:
        try:
            answer = connection.getresponse()
            self.got.append(Answer(answer.status, answer.headers, answer.read().decode()))
        except (OSError, http.client.HTTPException) as error:
            self.got.append(Answer(error=error))


def accepted(server) -> None:
    """Return when the server has taken the requests that were sent up to now: it accepts in the order of arrival."""
    assert requests.get(f"{server.url}/livez", timeout=LIMIT_SECONDS).status_code == 200


def open_session(server) -> str:
    """Begin a polling session in the default namespace, and return the URL of its polls."""
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    url += "&sid=" + requests.get(url, timeout=LIMIT_SECONDS).text.split('"sid":"')[1].split('"')[0]
    requests.post(url, "40", timeout=LIMIT_SECONDS)
    assert requests.get(url, timeout=LIMIT_SECONDS).text.startswith("40")
    return url


@every_transport
def test_a_pending_poll_is_answered_at_the_end(serve, wait_for, transport):
    server, answers = serve(SOCKET_TRANSPORT=transport, GUNICORN_GRACEFUL_TIMEOUT_SECONDS="40"), Answers()
    poll = answers.ask(open_session(server))
    accepted(server)
    assert server.stop() == 0
    poll.join(LIMIT_SECONDS)
    assert answers.got[0].status_code == 200
    assert "server:draining" in answers.got[0].text
    assert server.log.count('"socket_disconnect"') == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_under_way_is_answered(serve_slow, wait_for, number):
    server, answers = serve_slow(), Answers()
    (worker,) = server.workers()
    slow = answers.ask(f"{server.url}/slow-until-sigterm")
    wait_for(lambda: "a request is under way" in server.log)
    os.kill(server.pid, number)
    slow.join(LIMIT_SECONDS)
    assert json.loads(answers.got[0].text) == {"pid": worker}
    assert answers.got[0].headers["Connection"] == "close"


def test_while_the_delay_lasts_the_worker_serves_but_is_not_ready(serve, wait_for):
    server = serve(DRAIN_DELAY_SECONDS="300")
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: server.get("/readyz")[0] == 503)
    for _ in range(100):
        answer = requests.get(f"{server.url}/livez", timeout=LIMIT_SECONDS)
        assert (answer.status_code, answer.headers["Connection"]) == (200, "close")


def test_on_hup_the_health_checks_see_a_service_that_goes_on(serve, wait_for):
    server = serve(DRAIN_DELAY_SECONDS="3")
    (old,) = server.workers()
    server.process.send_signal(signal.SIGHUP)
    found = set()

    def replaced():
        found.update(server.get(path)[0] for path in ("/healthz", "/readyz"))
        return old not in server.workers()

    wait_for(replaced)
    assert found == {200}


def test_the_delay_is_as_long_as_it_is_set_and_then_the_worker_ends(serve):
    server = serve(DRAIN_DELAY_SECONDS="5")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began > 5


def test_kept_connections_get_one_more_answer_and_idle_ones_an_end(serve, wait_for):
    server = serve()
    busy, idle = (http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_SECONDS) for _ in range(2))
    for connection in (busy, idle):
        connection.request("GET", "/livez")
        assert connection.getresponse().read()
    server.process.send_signal(signal.SIGTERM)
    busy.auto_open = 0

    def last_answer():
        busy.request("GET", "/livez")
        answer = busy.getresponse()
        assert answer.status == 200
        assert answer.read()
        return answer.headers["Connection"] == "close"

    wait_for(last_answer)
    assert idle.sock.recv(1) == b""
    assert server.process.wait(LIMIT_SECONDS) == 0


def test_who_connected_before_the_listener_closed_is_served(serve_slow, wait_for):
    """While the hub is held up, connections wait in the kernel; the end of the worker must not reset them."""
    server, answers = serve_slow(), Answers()
    waiting = [answers.ask(f"{server.url}/block-until-sigterm")]
    wait_for(lambda: "the hub is held up" in server.log)
    waiting += [answers.ask(f"{server.url}/livez") for _ in range(20)]
    server.process.send_signal(signal.SIGTERM)
    for thread in waiting:
        thread.join(LIMIT_SECONDS)
    assert [answer.error or answer.status_code for answer in answers.got] == [200] * 21


def test_disconnect_handlers_that_take_their_time_run_beside_each_other(serve_slow, herd, wait_for):
    server = serve_slow(LEAVING_SECONDS="1")
    clients = herd(server, 100)
    wait_for(lambda: clients.live == 100)
    assert server.stop() == 0
    assert server.log.count("left after a while: server disconnect") == 100


@pytest.mark.long
def test_max_requests_replaces_the_only_worker_without_an_error(serve, herd, wait_for):
    server = serve(GUNICORN_MAX_REQUESTS="600")
    clients = herd(server, 50)
    wait_for(lambda: clients.live == 50)
    (first,) = server.workers()
    load, callers = call_all_along(server)
    wait_for(lambda: len(clients.joined) >= 100 and clients.live == 50)
    load.stop()
    print(f"slowest {max(caller.slowest for caller in callers):.2f} s")
    assert load.problems == []
    assert clients.failures.keys() <= SENT_ON
    assert first not in server.workers()
    assert clients.announced >= 50


def test_a_client_that_resets_its_connection_is_no_error(serve, wait_for):
    server = serve()
    with socket.create_connection(("127.0.0.1", server.port)) as one:
        one.sendall(HANDSHAKE)
        assert b"101" in one.recv(1000)
        one.sendall(b"\x81\x82\0\0\0\x0040")
        wait_for(lambda: server.metric("socket_connections") == 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_for(lambda: '"socket_disconnect"' in server.log)
    assert server.stop() == 0
    assert "Traceback" not in server.log
