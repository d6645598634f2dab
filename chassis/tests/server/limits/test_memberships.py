"""A client may be in so many namespaces and rooms, and clients may be so many."""

import json

from chassis.tests.server import wire
from chassis.tests.server.limits.probes import LARGE, call, code, flood, refused
from chassis.tests.server.wire import UPGRADE, Polling, Wire


def test_a_client_may_be_in_so_many_namespaces(fast):
    client = wire.join(fast.port)
    assert client.text("40/all,").read_text().startswith("40/all,{")
    assert client.text("40/classy,").read_text() == '44/classy,{"message":"Too many namespaces"}'
    client.text("41/all,")
    assert client.text("40/classy,").read_text().startswith("40/classy,{")


def test_a_client_may_be_in_so_many_rooms(fast):
    client, other = wire.join(fast.port), wire.join(fast.port)
    for room in ("a", "b", "c", "c"):
        assert room in call(client, "join", room)
    assert code(call(client, "join", "d")) == "too_many_rooms"
    assert "d" in call(other, "join", "d")
    call(client, "leave", "a")
    assert "d" in call(client, "join", "d")


def test_no_more_clients_are_let_in_than_there_may_be(matrix, wait_for):
    server = matrix(SOCKET_MAX_CONNECTIONS="3")
    first, second, third = wire.join(server.port), wire.join(server.port), Polling(server.port, joined=True)
    for path, headers in ((wire.path("polling"), None), (wire.path(), UPGRADE)):
        status, answered, body = Wire(server.port).request("GET", path, headers).answer()
        assert (status, answered["retry-after"]) == (503, "5")
        assert "Too many" in json.loads(body)["message"]
    assert refused(server, "too_many_connections") == 2
    assert third.upgrading().text("2probe").read_text() == "3probe"
    first.cut()
    wait_for(lambda: Wire(server.port).request("GET", wire.path("polling")).answer()[0] == 200)
    second.text('42["echo",1]')
    assert second.read_text() == '42["echo",1]'


def test_no_more_clients_of_one_address_are_let_in_than_there_may_be(matrix):
    server = matrix(SOCKET_MAX_CONNECTIONS_PER_ADDRESS="2")

    def status(address):
        return Wire(server.port, address=address).request("GET", wire.path(), UPGRADE).answer()[0]

    clients = [wire.join(server.port), wire.join(server.port)]
    assert status("127.0.0.1") == 503
    assert status("127.0.0.2") == 101
    assert refused(server, "too_many_connections_of_address") == 1
    clients[0].text("1").read_close()
    assert status("127.0.0.1") == 101


def test_zero_is_no_limit(matrix):
    names = ("SEND_BUFFER_BYTES", "SEND_BUFFER_MESSAGES", "RECEIVE_BYTES", "RECEIVE_MESSAGES", "HANDSHAKE_SECONDS")
    names += ("MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS", "MAX_NAMESPACES", "MAX_ROOMS", "EVENTS_PER_SECOND")
    server = matrix(**{f"SOCKET_{name}": "0" for name in names})
    idle, polling = wire.open_session(server.port)[0], Polling(server.port, joined=True)
    client = wire.join(server.port).text('42["slow",0.3,0]', *[f'42["echo",{i}]' for i in range(2_000)])
    assert client.read_text() == '42["done",0]'
    assert [client.read_text() for _ in range(2_000)][-1] == '42["echo",1999]'
    flood(server, 500)
    assert polling.get()[1].count("x" * LARGE) == 500
    client.end()
    assert idle.text("40").read_text().startswith("40{")
    assert server.metric("socket_refused_total") == 0
