"""Clients that leave the server no pause."""

import socket
import threading

import pytest

from tests.conftest import ASYNC_MODE

REQUESTS = 1500


@pytest.mark.skipif(ASYNC_MODE != "eventlet", reason="the worker is this project's own under eventlet alone")
def test_a_client_whose_next_request_is_always_there_holds_up_nobody(serve):
    server = serve()
    answers = 0

    def count() -> None:
        nonlocal answers
        while answers < REQUESTS and (data := busy.recv(1 << 16)):
            answers += data.count(b"HTTP/1.1 200")

    with socket.create_connection(("127.0.0.1", server.port)) as busy:
        busy.settimeout(60)
        reader = threading.Thread(target=count)
        reader.start()
        busy.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * REQUESTS)
        assert server.get("/livez")[0] == 200
        done_when_the_other_was_served = answers
        reader.join()
    assert done_when_the_other_was_served < REQUESTS
    assert answers == REQUESTS
