"""nginx before two nodes of the service: one is frozen, taken out, put back."""

import contextlib
import os
import signal
import subprocess

import pytest
import requests
import socketio

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.deploy.ours import needs
from chassis.tests.deploy.site import Site, nginx, told
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import same_in_every_mode

NODES = "deploy/nginx/nodes"
pytestmark = [needs(NODES), same_in_every_mode]


@pytest.fixture
def nodes(serve, redis_url, tmp_path):
    """Two nodes of one service, with one database and one Redis."""
    database = f"sqlite:///{tmp_path}/shared.db"
    common = {"DATABASE_URL": database, "REDIS_URL": redis_url, "TRUSTED_PROXIES": "127.0.0.1"}
    return [serve(**common), serve(**common)]


class Several(Site):
    """The site, with several nodes as docs/deploy.md says."""

    def __init__(self, folder, program, upstream, nodes):
        super().__init__(folder, program, upstream)
        typed = next(block for block in blocks("docs/deploy.md", "systemd, several instances") if NODES in block)
        typed = "\n".join(line for line in typed.splitlines() if not line.startswith("nginx"))
        subprocess.run(["bash", "-ec", typed.replace("/etc/nginx", f"{folder}/nginx")], cwd=ROOT, check=True)
        self.upstream = folder / f"nginx/conf.d/{SLUG}_nodes.conf"
        # On a slow machine a test takes longer than the 20 s after which nginx tries a node again.
        text = self.upstream.read_text().replace("fail_timeout=20s", "fail_timeout=1h")
        for port, node in zip((5001, 5002), nodes, strict=True):
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{node.port}")
        self.upstream.write_text(text)

    def mark(self, node, state):
        """Take a node out, or put it back, as instances.sh does."""
        env = {**CLEAN, "NODES_FILE": str(self.upstream), "NGINX_COMMAND": " ".join(self.command)}
        subprocess.run([ROOT / NODES / "node.sh", str(node.port), state], env=env, check=True)
        assert (f":{node.port} down " in self.upstream.read_text()) == (state == "down")


class Impatient(Several):
    """The same, but a request that changes something waits for two seconds."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.change("proxy_read_timeout 60s", "proxy_read_timeout 2s")


@pytest.fixture
def site(nodes, tool, tmp_path):
    with nginx(tmp_path / "nginx", tool, nodes[0].port, kind=Several, nodes=nodes) as running:
        yield running


def chosen(site, nodes):
    """Return the node that gets the requests of this address."""
    before = [node.metric("http_requests_total") for node in nodes]
    for _ in range(9):
        assert site.ask("/api/jobs")[0] == 200
    grown = [node.metric("http_requests_total") - then for node, then in zip(nodes, before, strict=True)]
    return nodes[grown.index(max(grown))]


@contextlib.contextmanager
def frozen(node):
    """Stop all processes of a node without ending them, as a machine that hangs."""
    pids = [node.pid, *node.workers()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def visitor(site, transport):
    session = requests.Session()
    session.trust_env, session.verify = False, site.certificate
    session.headers["Origin"] = site.origin
    options = {"origin": site.origin, "sslopt": {"ca_certs": site.certificate}}
    one = socketio.Client(
        http_session=session, websocket_extra_options=options, request_timeout=LIMIT_SECONDS, reconnection_delay=0.2
    )
    one.connect(site.origin, transports=[transport], wait_timeout=LIMIT_SECONDS)
    return one


def works(client):
    return told(client, "job:subscribe", {"id": "none"})["error"]["code"] == "not_found"


@pytest.mark.long  # nginx waits for ten seconds
def test_a_frozen_node_costs_a_request_some_seconds_and_then_nobody_anything(site, nodes):
    with frozen(chosen(site, nodes)):
        assert site.ask("/api/jobs")[0] == 200  # nginx gives up on the node, and repeats it
        assert site.ask("/livez", method="POST")[0] == 405  # is never repeated, so it went to the other node at once
        for transport in ("polling", "websocket"):
            one = visitor(site, transport)
            assert works(one)
            one.disconnect()


def test_the_handshake_of_polling_leaves_a_frozen_node_too(site, nodes):
    with frozen(chosen(site, nodes)):
        one = visitor(site, "polling")
        assert works(one)
        one.disconnect()


def test_a_change_is_not_sent_twice(nodes, tool, tmp_path):
    with nginx(tmp_path / "nginx", tool, nodes[0].port, kind=Impatient, nodes=nodes) as site:
        with frozen(chosen(site, nodes)):
            status, _, page = site.ask("/livez", method="POST")
        assert status == 504
        assert "not responding right now" in page


def test_a_node_is_taken_out_and_put_back_by_its_port(site, nodes):
    before = site.upstream.read_text()
    for node in nodes:
        site.mark(node, "down")
        assert site.ask("/api/jobs")[0] == 200
        site.mark(node, "up")
    assert site.upstream.read_text() == before
