"""Clients that leave the server no pause."""

import socket
import threading

import pytest

from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.patience import LIMIT_SECONDS, wait_until

REQUEST, ANSWER = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n", b"HTTP/1.1 200"
TOGETHER, AHEAD = 100, 15  # requests that are sent at once, and how many such heaps wait for their answers


@pytest.mark.skipif(ASYNC_MODE == "threading", reason="threads take turns by themselves")
def test_a_client_whose_next_request_is_always_there_holds_up_nobody(serve):
    server, served, room = serve(), threading.Event(), threading.Semaphore(AHEAD)
    sent = answers = 0

    def send() -> None:
        nonlocal sent
        while not served.is_set():
            room.acquire()
            busy.sendall((REQUEST + b"\r\n") * TOGETHER)
            sent += TOGETHER
        busy.sendall(REQUEST + b"Connection: close\r\n\r\n")

    def count() -> None:
        nonlocal answers
        rest = b""
        while data := busy.recv(1 << 16):
            answers, before = answers + (rest + data).count(ANSWER), answers
            rest = (rest + data)[1 - len(ANSWER) :]
            for _ in range(answers // TOGETHER - before // TOGETHER):
                room.release()

    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS) as busy:
        threads = [threading.Thread(target=work) for work in (send, count)]
        for thread in threads:
            thread.start()
        wait_until(lambda: answers)
        status = server.get("/livez")[0]
        served.set()
        for thread in threads:
            thread.join()
    assert status == 200
    assert answers == sent + 1
