"""Real JavaScript clients, in Chromium and in Node, come back by themselves when a worker is replaced."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.e2e.test_drain import gone

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
BUNDLE = next((ROOT / "chassis/web/static/vendor").glob("socket.io-*.min.js"))


class Node:
    """A client in Node, and what it said so far."""

    def __init__(self, node: str, url: str, transport: str, log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            command = [node, str(HERE / "node_client.js"), str(BUNDLE), url, transport]
            env = {**CLEAN, "NODE_PATH": "/usr/share/nodejs"}  # where Debian's modules are
            self.process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)

    def said(self, event: str) -> list[dict]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]


def has_websocket(node: str) -> bool:
    script = "process.exit(globalThis.WebSocket ? 0 : 1)"
    return subprocess.run([node, "-e", script], check=False).returncode == 0


@pytest.fixture
def node(tool, tmp_path):
    """Return a function that starts a client: `node(server, "polling")`."""
    started = []

    def start(server, transport):
        path = tool("node", "nodejs")
        if transport == "websocket" and not has_websocket(path):
            tool("wscat", "node-ws")  # which brings the module that node_client.js takes instead
        started.append(Node(path, server.url, transport, tmp_path / f"node-{len(started)}.log"))
        return started[-1]

    yield start
    for client in started:
        client.process.kill()
        client.process.wait()


@pytest.mark.parametrize("by", ["websocket", "polling"])
def test_a_client_in_node_comes_back_after_a_reload(serve_slow, node, wait_for, by):
    server = serve_slow()
    client = node(server, by)
    wait_for(lambda: client.said("connect"))
    (old,) = server.workers()
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: len(client.said("connect")) == 2)
    wait_for(lambda: gone(old))
    assert [entry["pid"] for entry in client.said("connect")] == [old, *server.workers()]
    lost = client.said("disconnect")
    if by == "websocket":
        assert len(lost) == 1
        assert [told["retry_seconds"] for told in client.said("draining")] == [1.0]
    assert len(lost) <= 2  # a poll may reach the new worker first, and a kept connection leads back to the old one
    assert all(one["reason"] in ("transport close", "transport error") for one in lost)
    assert all(one["active"] for one in lost)


def test_clients_in_node_come_back_after_a_reload_of_two_workers(serve_slow, node, wait_for):
    server = serve_slow(GUNICORN_WORKERS="2")
    clients = [node(server, by) for by in ("polling", "polling", "websocket", "websocket")]
    wait_for(lambda: all(client.said("connect") for client in clients))
    old = server.workers()
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: all(gone(pid) for pid in old))
    for client in clients:
        wait_for(lambda client=client: client.said("connect")[-1]["pid"] in server.workers())
        assert all(one["active"] for one in client.said("disconnect"))


def shown(page) -> list[str]:
    """Return the states that the header has shown, in their order."""
    return page.evaluate("window.states")


@pytest.mark.browser
def test_a_page_in_a_browser_is_live_again_after_a_reload(serve_slow, page, wait_for):
    server = serve_slow()
    page.goto(f"{server.url}/page")
    page.wait_for_selector("#connection[data-state=live]")
    page.evaluate("""() => {
        const element = document.getElementById("connection");
        window.states = [element.dataset.state];
        new MutationObserver(() => window.states.push(element.dataset.state)).observe(element, {attributes: true});
    }""")
    (old,) = server.workers()
    for number in (1, 2):
        os.kill(server.pid, signal.SIGHUP)
        wait_for(lambda pid=old: gone(pid))
        (old,) = wait_for(server.workers)
        wait_for(lambda number=number: shown(page)[1:] == ["offline", "live"] * number)
    assert page.inner_text("#connection") == "Live"
    assert page.errors == []
