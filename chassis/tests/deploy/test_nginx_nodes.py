"""nginx before two nodes of the service: one is frozen, taken out, put back."""

import pytest
import requests
import socketio

from chassis.tests.deploy.ours import needs
from chassis.tests.deploy.several import NODES, Several, frozen
from chassis.tests.deploy.site import nginx, told
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import same_in_every_mode

pytestmark = [needs(NODES), same_in_every_mode]


@pytest.fixture
def nodes(serve, redis_url, tmp_path):
    """Two nodes of one service, with one database and one Redis."""
    database = f"sqlite:///{tmp_path}/shared.db"
    common = {"DATABASE_URL": database, "REDIS_URL": redis_url, "TRUSTED_PROXIES": "127.0.0.1"}
    return [serve(**common), serve(**common)]


class Patient(Several):
    """The same on a slow machine, where a test takes longer than the 20 s after which nginx tries a node again."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.upstream.write_text(self.upstream.read_text().replace("fail_timeout=20s", "fail_timeout=1h"))


class Impatient(Patient):
    """The same, but a request that changes something waits for two seconds."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.change("proxy_read_timeout 300s", "proxy_read_timeout 2s")


@pytest.fixture
def site(nodes, tool, tmp_path):
    with nginx(tmp_path / "nginx", tool, nodes[0].port, kind=Patient, nodes=nodes) as running:
        yield running


def chosen(site, nodes):
    """Return the node that gets the requests of this address."""
    before = [node.metric("http_requests_total") for node in nodes]
    for _ in range(9):
        assert site.ask("/api/jobs")[0] == 200
    grown = [node.metric("http_requests_total") - then for node, then in zip(nodes, before, strict=True)]
    return nodes[grown.index(max(grown))]


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


def test_a_stream_is_waited_for_longer_than_a_page(site):
    assert site.ask("/livez", Accept="text/event-stream")[0] == 200
    streams = site.run("-T").stdout.partition("location @streams {")[2].partition("}")[0]
    assert "proxy_pass" in streams and "proxy_read_timeout" not in streams  # that of the server, 300 s
