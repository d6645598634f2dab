"""Workers and masters that hang or die, and a process without descriptors: somebody serves again, clients come back."""

import contextlib
import os
import shlex
import signal
import socket
import sys
import threading
import time

import pytest

from chassis.tests.conftest import ASYNC_MODE, cpu_seconds
from chassis.tests.e2e.test_drain import gone
from chassis.tests.patience import let_pass

pytestmark = pytest.mark.long

green = pytest.mark.skipif(ASYNC_MODE == "threading", reason="threads keep gunicorn's own worker")


@pytest.mark.skipif(ASYNC_MODE == "threading", reason="a thread that hangs does not hold up the others")
def test_a_worker_that_hangs_is_replaced_and_its_clients_come_back(serve_slow, herd, wait_for):
    server = serve_slow(GUNICORN_TIMEOUT_SECONDS="10")
    clients = herd(server, 20)
    wait_for(lambda: clients.live == 20)
    (hung,) = server.workers()
    threading.Thread(target=server.get, args=("/block?seconds=60",), daemon=True).start()
    wait_for(lambda: gone(hung))
    wait_for(lambda: len(clients.joined) >= 40 and clients.live == 20)
    assert server.get("/livez")[0] == 200
    assert "WORKER TIMEOUT" in server.log


def test_the_clients_of_a_killed_worker_come_back(serve, herd, wait_for):
    server = serve()
    clients = herd(server, 50)
    wait_for(lambda: clients.live == 50)
    os.kill(server.workers()[0], signal.SIGKILL)
    wait_for(lambda: len(clients.joined) == 100 and clients.live == 50)


@green
def test_without_its_master_a_worker_leaves_at_once_and_frees_the_port(serve, herd, wait_for):
    server = serve(DRAIN_DELAY_SECONDS="20")
    clients = herd(server, 50)
    wait_for(lambda: clients.live == 50)
    (worker,) = server.workers()
    began = time.monotonic()
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()

    def free():
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", server.port))
            probe.listen()
            return True

    wait_for(free)
    freed = time.monotonic() - began
    wait_for(lambda: gone(worker))
    print(f"free after {freed:.2f} s, gone after {time.monotonic() - began:.2f} s")
    assert server.log.count('"socket_disconnect"') == 50


@green
def test_without_descriptors_a_worker_waits_and_then_serves_again(serve, wait_for):
    command = f"ulimit -n 100; exec {shlex.quote(sys.executable)} run_web.py"
    server = serve(command=["bash", "-c", command])
    (worker,) = server.workers()
    clients = []
    for _ in range(150):
        clients.append(socket.create_connection(("127.0.0.1", server.port)))
        clients[-1].sendall(b"GET /livez HTTP/1.1\r\n")  # more is to come, so the worker has to keep it
    wait_for(lambda: "Cannot accept connections" in server.log)
    before = cpu_seconds(worker)
    let_pass(2)  # the time in which it would compute, if it asked again and again
    assert cpu_seconds(worker) - before < 1
    assert server.log.count("Cannot accept connections") == 1
    for client in clients:
        client.close()
    wait_for(lambda: server.get("/readyz")[0] == 200)
    assert server.workers() == [worker]
    assert "Traceback" not in server.log
