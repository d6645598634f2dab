"""instances.sh replaces real instances behind the real nginx, with requests and sockets under way: it drops nobody."""

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
import requests
import socketio

from chassis.tests.conftest import CLEAN, ROOT, TRANSPORTS, free_port, gunicorn
from chassis.tests.deploy import systemctl
from chassis.tests.deploy.instances import NODES, Machine
from chassis.tests.deploy.ours import needs
from chassis.tests.deploy.site import nginx, told
from chassis.tests.deploy.test_nginx_nodes import Several
from chassis.tests.named import SLUG
from chassis.tests.ordered import OrderedClient
from chassis.tests.patience import LIMIT_SECONDS, PAUSE_SECONDS, wait_until
from chassis.tests.servers import PATIENT, same_in_every_mode

pytestmark = [needs("deploy/systemd/instances.sh"), needs(NODES), pytest.mark.long, same_in_every_mode]
LIVE = ROOT / "chassis/tests/realtime"
ADDRESSES = [f"127.0.{number}.1" for number in range(1, 7)]  # nginx chooses a node by the first three numbers


class Port:
    """An instance, as far as nginx must know it."""

    def __init__(self):
        self.port = free_port()


class Instances(Machine):
    """Releases of the application of rooms, which systemd's stand-in runs."""

    def __init__(self, folder, site, env):
        super().__init__(folder, [str(node.port) for node in site.nodes], site.upstream, " ".join(site.command))
        (folder / "env").write_text(json.dumps(env))
        self.write("bin/systemctl", f'#!/bin/sh\nexec {sys.executable} {systemctl.__file__} {folder} "$@"\n')

    def update(self, name):
        """Build a release and switch all ports to it."""
        release = self.release(name)
        release.mkdir(parents=True)
        for folder in ("app", "chassis", "deploy/systemd"):
            shutil.copytree(ROOT / folder, release / folder, ignore=shutil.ignore_patterns("tests", "data"))
        for file in ("gunicorn_config.py", "run_web.py"):
            shutil.copy2(ROOT / file, release)
        (release / "wsgi.py").write_text(
            f"import sys\nsys.path.append({str(LIVE)!r})\nfrom live_app import app as app\n"
        )
        self.write(str(release / ".venv/bin/python"), f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        done = self.switch(name)
        assert done.returncode == 0, done.stdout + done.stderr + self.logs()
        for port in self.ports:
            assert Path(f"/proc/{self.pid(port)}/cwd").resolve() == release

    def logs(self):
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))

    def pid(self, port):
        return int((self.folder / f"{SLUG}@{port}.pid").read_text())

    def kill(self):
        for file in self.folder.glob(f"{SLUG}@*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(file.read_text()), signal.SIGKILL)


class Visitor(threading.Thread):
    """Follows a room from connection to connection, as the pages do; each is a new client.

    Python's client, when it connects again over polling, may be ended by what is left of its connection before.
    """

    def __init__(self, site, transport):
        super().__init__(daemon=True)
        self.site, self.transport, self.lock = site, transport, threading.Lock()
        self.position, self.client, self.connections = None, None, 0
        self.stays = []  # the numbers of the events, in a new list each time that the visitor was told of a gap
        self.joined, self.leaving = threading.Event(), threading.Event()

    def run(self):
        while not self.leaving.wait(PAUSE_SECONDS):
            with contextlib.suppress(socketio.exceptions.SocketIOError):  # it is sent away, or meets a node that stops
                self._visit()

    def _visit(self):
        session, gone = requests.Session(), threading.Event()
        session.trust_env, session.verify = False, self.site.certificate
        session.headers["Origin"] = self.site.origin
        options = {"origin": self.site.origin, "sslopt": {"ca_certs": self.site.certificate}}
        one = OrderedClient(
            reconnection=False, http_session=session, websocket_extra_options=options, request_timeout=LIMIT_SECONDS
        )
        one.on("disconnect", lambda *_: gone.set())
        one.on("news", lambda data: self._keep(one, data))
        one.on("room:missed", lambda data: self._miss(one, data["stream"]))
        with self.lock:
            self.client = one
        one.connect(self.site.origin, transports=[self.transport], wait_timeout=LIMIT_SECONDS)
        stream = told(one, "room:join", {"name": "load", "after": self.position})["stream"]
        if not stream["recovered"]:
            self._miss(one, stream)
        self.connections += 1
        self.joined.set()
        while not (gone.wait(PAUSE_SECONDS) or self.leaving.is_set()):
            pass
        one.disconnect()

    def _keep(self, client, data):
        with self.lock:
            if client is self.client:
                self._move(data["stream"])
                self.stays[-1].append(data["n"])

    def _miss(self, client, stream):
        with self.lock:
            if client is self.client:
                self._move(stream)
                self.stays.append([])

    def _move(self, stream):
        """Take a position; in another epoch all numbers begin anew, and the visitor knows that it missed something."""
        if self.position is None or self.position["epoch"] != stream["epoch"]:
            self.stays.append([])
            self.position = {"epoch": stream["epoch"], "seq": 0}
        self.position["seq"] = max(self.position["seq"], stream["seq"])

    def last(self):
        with self.lock:
            return self.stays[-1][-1:] if self.stays else []

    def stop(self):
        self.leaving.set()
        self.join(LIMIT_SECONDS)


class Caller(threading.Thread):
    """Asks one thing again and again from an address, over a new connection each time; counts the answers."""

    def __init__(self, site, method, path, address):
        super().__init__(daemon=True)
        self.site, self.what, self.address = site, (path, method), address
        self.answers, self.done = Counter(), threading.Event()

    def run(self):
        body = "{}" if self.what[1] == "POST" else None
        while not self.done.wait(PAUSE_SECONDS):
            try:
                status, _, text = self.site.ask(*self.what, body, source=self.address, Content_Type="application/json")
                self.answers[status if status == 200 else f"{status} {text[:200]}"] += 1
            except OSError as error:
                self.answers[repr(error)] += 1

    def stop(self):
        self.done.set()
        self.join(LIMIT_SECONDS)


class Publisher(threading.Thread):
    """Publishes numbered events from another machine, which stays."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.sent, self.done = server, 0, threading.Event()

    def run(self):
        while not self.done.wait(PAUSE_SECONDS):
            assert self.server.post("/publish/load/1", {"first": self.sent})[0] == 200
            self.sent += 1

    def stop(self):
        self.done.set()
        self.join(LIMIT_SECONDS)


@pytest.fixture
def server(serve, redis_url, tmp_path):
    """A machine of the service that is not replaced."""
    common = {"DATABASE_URL": f"sqlite:///{tmp_path}/shared.db", "REDIS_URL": redis_url}
    return serve(command=gunicorn(LIVE, "live_app:app"), SOCKET_TRANSPORT=TRANSPORTS[0], **common)


@pytest.fixture
def site(server, tool, tmp_path):
    """nginx before two ports."""
    nodes = [Port(), Port()]
    with nginx(tmp_path / "nginx", tool, nodes[0].port, kind=Several, nodes=nodes) as running:
        running.nodes = nodes
        yield running


@pytest.fixture
def machine(server, site, tmp_path):
    env = {**CLEAN, **PATIENT, **server.env, "TRUSTED_PROXIES": "127.0.0.1"}
    del env["PORT"]
    env["SECRET_KEY"] = "the same for all instances of the test"  # pragma: allowlist secret
    made = Instances(tmp_path / "machine", site, env)
    try:
        made.update("release-1")
        yield made
    finally:
        made.kill()


def test_a_replacement_under_load_fails_no_request_and_loses_no_client(machine, site, server):
    visitors = [Visitor(site, transport) for transport in ("polling", "websocket") * 2]
    for visitor in visitors:
        visitor.start()
        wait_until(visitor.joined.is_set, machine.logs())
    paths = [("GET", "/api/jobs"), ("POST", "/publish/elsewhere/1")]
    callers = [Caller(site, *paths[number % 2], address) for number, address in enumerate(ADDRESSES)]
    publisher = Publisher(server)
    for thread in (*callers, publisher):
        thread.start()
    machine.update("release-2")
    for thread in (*callers, publisher):
        thread.stop()
    answers = sum((caller.answers for caller in callers), Counter())
    assert set(answers) == {200}, answers
    assert all(visitor.connections > 1 for visitor in visitors)
    assert server.post("/publish/load/1", {"first": publisher.sent})[0] == 200
    for visitor in visitors:
        wait_until(lambda visitor=visitor: visitor.last() == [publisher.sent])
        for stay in filter(None, visitor.stays):
            assert stay == list(range(stay[0], stay[-1] + 1)), "without a gap that it was not told of"
        visitor.stop()
