"""The shipped nginx site lets browsers in from the page and from a friend, over TLS, by its name, and not too many."""

import contextlib
import http.client
import socket
import ssl
import subprocess

import pytest
import requests
import socketio

from chassis.tests.deploy.site import told
from chassis.tests.patience import LIMIT_SECONDS


def session_to(site):
    session = requests.Session()
    session.trust_env, session.verify = False, site.certificate
    return session


def client(site, origin=None):
    session = session_to(site)
    session.headers["Origin"] = origin or site.origin
    options = {"origin": origin or site.origin, "sslopt": {"ca_certs": site.certificate}}
    return socketio.Client(http_session=session, websocket_extra_options=options, request_timeout=LIMIT_SECONDS)


@pytest.mark.parametrize("origin", [None, "https://friend.example"])
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_both_transports_pass_from_the_page_and_from_a_friend(site, transport, origin):
    one = client(site, origin)
    one.connect(site.origin, transports=[transport], wait_timeout=LIMIT_SECONDS)
    assert one.transport() == transport
    assert told(one, "job:subscribe", {"id": "none"})["error"]["code"] == "not_found"
    one.disconnect()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("origin", ["https://foe.example", "http://localhost", "https://localhost"])
def test_another_origin_is_refused(site, transport, origin):
    with pytest.raises(socketio.exceptions.ConnectionError):
        client(site, origin).connect(site.origin, transports=[transport], wait_timeout=LIMIT_SECONDS)


def test_a_page_comes_over_http_2_and_with_tls_1_2_or_newer(site, tool):
    command = [
        tool("curl"),
        "-s",
        "--http2",
        "--cacert",
        site.certificate,
        "-w",
        "\n%{http_version} %{http_code}",
        "-L",
    ]
    found = subprocess.run([*command, site.origin], capture_output=True, text=True, check=True).stdout
    assert "<main" in found
    assert found.splitlines()[-1] == "2 200"
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert handshake(site, version) == "h2"
    with pytest.warns(DeprecationWarning), pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        handshake(site, ssl.TLSVersion.TLSv1_1)


def handshake(site, version, name="localhost"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(site.certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # so that it is the server who refuses
    context.minimum_version = context.maximum_version = version
    plain = socket.create_connection(("127.0.0.1", site.port), LIMIT_SECONDS)
    with plain, context.wrap_socket(plain, server_hostname=name) as wrapped:
        return wrapped.selected_alpn_protocol()


def test_other_names_are_not_served(site):
    with pytest.raises(ssl.SSLError, match="unrecognized name"):
        handshake(site, ssl.TLSVersion.TLSv1_2, "other.example")
    with pytest.raises(ConnectionError):
        site.ask("/", plain=True, Host="other.example")
    with pytest.raises(ConnectionError):
        site.ask("/", Host="other.example")


def test_a_burst_is_answered_429_and_others_are_served(site):
    with contextlib.ExitStack() as opened:
        clients = [browser(site, opened, "127.0.0.9") for _ in range(190)]
        for client in clients:  # all at once, so that a slow machine asks in a burst as well
            client.request("GET", "/livez")
        answers = [client.getresponse() for client in clients]
        assert {answer.status for answer in answers} == {200, 429}
        assert sum(answer.status == 200 for answer in answers) > 100
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.headers["Retry-After"] == "1"
        assert "too many requests: wait a moment" in refused.read().decode()
    assert site.ask("/livez")[0] == 200


def browser(site, opened, source):
    """Return a connection from one of this machine's addresses, on which nothing has been asked."""
    options = {"source_address": (source, 0), "context": site.context, "timeout": LIMIT_SECONDS}
    client = http.client.HTTPSConnection("localhost", site.port, **options)
    client.connect()
    opened.callback(client.close)
    return client


def test_an_address_has_200_connections(site):
    with contextlib.ExitStack() as opened:
        answers = [upgrade(site, opened, "127.0.0.10") for _ in range(203)]
        assert answers == [b"101"] * 200 + [b"429"] * 3
        assert upgrade(site, opened, "127.0.0.11") == b"101"


def upgrade(site, opened, source):
    """Open a websocket as a browser does, and keep it; return the answer's status."""
    plain = socket.create_connection(("127.0.0.1", site.port), LIMIT_SECONDS, source_address=(source, 0))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one = opened.enter_context(site.context.wrap_socket(plain, server_hostname="localhost"))
    fields = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        + "A" * 22
        + "=="
    )
    path = "/socket.io/?EIO=4&transport=websocket"
    one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{site.port}\r\n{fields}\r\n\r\n".encode())
    return one.recv(4096).split(b" ")[1]
