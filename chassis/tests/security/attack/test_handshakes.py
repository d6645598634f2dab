"""Whoever opens sessions and joins nothing takes no place from anybody, however many addresses it has."""

import itertools
import json

import pytest
import socketio

from chassis.settings import Settings
from chassis.tests.conftest import TRANSPORTS
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import ask

HANDSHAKE = "/socket.io/?EIO=4&transport=polling"
PROXIED = {"TRUSTED_PROXIES": "127.0.0.1"}  # so that each test comes from addresses of its own
PLACES, OF_ADDRESS, UNJOINED, SECONDS = 12, 6, 3, 2
networks = (f"2001:db8:{number:x}" for number in itertools.count())


@pytest.fixture(params=TRANSPORTS)
def narrow(request, limits_app):
    """A server with few places and without limits of requests."""
    names = ("MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS", "MAX_UNJOINED_PER_ADDRESS")
    sizes = {f"SOCKET_{name}": str(size) for name, size in zip(names, (PLACES, OF_ADDRESS, UNJOINED), strict=True)}
    return limits_app(SOCKET_TRANSPORT=request.param, SOCKET_HANDSHAKE_SECONDS="0", **sizes, **PROXIED)


@pytest.fixture(params=TRANSPORTS)
def counting(request, limits_app):
    """A server with limits of requests, whose clients have little time to join."""
    return limits_app(
        SOCKET_TRANSPORT=request.param,
        RATE_LIMIT_DEFAULT="5 per hour",
        SOCKET_HANDSHAKE_SECONDS=str(SECONDS),
        **PROXIED,
    )


@pytest.fixture
def network():
    """The first half of the addresses that one client of IPv6 has."""
    return next(networks)


def shake(server, network, number=1):
    return ask(server, HANDSHAKE, X_Forwarded_For=f"{network}::{number}")


def join(server, address):
    client = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    options = {"headers": {"X-Forwarded-For": address}, "transports": ["websocket"]}
    client.connect(server.url, **options, wait_timeout=LIMIT_SECONDS)
    return client


def refused(server, reason):
    lines = server.get("/metrics")[1].splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f'socket_refused_total{{reason="{reason}"'))


def test_an_address_has_few_sessions_that_joined_nothing_and_others_are_served(narrow, network):
    answers = [shake(narrow, network, number) for number in range(UNJOINED + 2)]
    assert [answer.status for answer in answers] == [200] * UNJOINED + [503] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert "Too many" in answers[-1].json["message"]
    assert refused(narrow, "too_many_unjoined_of_address") >= 2
    other = join(narrow, f"{next(networks)}::1")
    assert other.call("echo", 1) == 1
    other.disconnect()


def test_a_crowd_of_addresses_takes_no_place_from_anybody(narrow):
    for _ in range(3 * PLACES):
        assert shake(narrow, next(networks)).status == 200
    clients = [join(narrow, f"{next(networks)}::1") for _ in range(PLACES)]
    assert [client.call("echo", 1) for client in clients] == [1] * PLACES
    assert refused(narrow, "made_room") >= 2 * PLACES
    assert shake(narrow, next(networks)).status == 503
    for client in clients:
        client.disconnect()


def test_an_ipv6_network_has_so_many_sockets(narrow, network):
    clients = [join(narrow, f"{network}::{number}") for number in range(OF_ADDRESS)]
    assert shake(narrow, network, 99).status == 503
    assert refused(narrow, "too_many_connections_of_address") >= 1
    clients[0].disconnect()
    wait_until(lambda: shake(narrow, network, 99).status == 200)
    for client in clients:
        client.disconnect()


def test_a_session_that_joins_nothing_ends_soon(counting, network):
    opened = shake(counting, network)
    poll = f"{HANDSHAKE}&sid={json.loads(opened.text[1:])['sid']}"
    wait_until(lambda: ask(counting, poll).status == 400, "the session is kept")
    assert refused(counting, "handshake_timeout") >= 1


def test_a_client_that_left_its_namespace_keeps_no_place(counting, network):
    client = join(counting, f"{network}::1")
    ended = []
    client.eio.on("disconnect", lambda *_: ended.append(True))
    client._send_packet(client.packet_class(1, namespace="/"))
    wait_until(lambda: ended, "the session is kept")


def test_handshakes_count_with_all_that_an_address_asks(counting, network):
    assert ask(counting, "/api/where", X_Forwarded_For=f"{network}::1").status == 200
    assert [shake(counting, network, number).status for number in range(4)] == [200] * 4
    limited = shake(counting, network)
    assert limited.status == 429
    assert int(limited.headers["Retry-After"]) > 0
    for path in (f"{HANDSHAKE}&sid=guessed", "/socket.io/?nonsense", "/api/where"):
        assert ask(counting, path, X_Forwarded_For=f"{network}::2").status == 429, path
    assert shake(counting, next(networks)).status == 200


def test_the_limits_of_addresses_are_on_in_production():
    names = ("socket_max_connections_per_address", "socket_max_unjoined_per_address")
    for name in names:
        assert Settings(app_env="production").of_strangers(name) > 0
        assert Settings(app_env="development").of_strangers(name) == 0
        assert Settings(app_env="development", **{name: 7}).of_strangers(name) == 7
        assert Settings(app_env="production", **{name: 0}).of_strangers(name) == 0
