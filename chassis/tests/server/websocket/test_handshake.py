"""An upgrade request that is wrong is refused, and one that is written in another way is taken."""

import pytest

from chassis.tests.server import wire
from chassis.tests.server.wire import PING, TEXT, UPGRADE, Wire, frame


def test_what_comes_right_behind_the_upgrade_request_is_not_lost(fast):
    client = Wire(fast.port)
    head = f"GET {wire.path()} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in UPGRADE.items()) + "\r\n"
    client.send(head.encode(), frame(TEXT, "40"), frame(PING, b"early"))
    assert client.answer()[0] == 101
    assert [client.read_text()[:1], client.read_text()[:2]] == ["0", "40"]


@pytest.mark.parametrize("version", [None, "12", "8", "14", "thirteen"])
def test_another_version_of_the_protocol_is_told_which_one_is_spoken(fast, version):
    headers = {k: v for k, v in UPGRADE.items() if k != "Sec-WebSocket-Version"}
    headers |= {"Sec-WebSocket-Version": version} if version else {}
    status, answered, _ = Wire(fast.port).request("GET", wire.path(), headers).answer()
    assert (status, answered["sec-websocket-version"]) == (426, "13")


@pytest.mark.parametrize("key", [None, "", "dGVzdA==", "!" * 24, wire.KEY + "AAAA", "\xe4" * 24, wire.KEY[:-1]])
def test_a_missing_or_wrong_key_is_refused(fast, key):
    headers = {k: v for k, v in UPGRADE.items() if k != "Sec-WebSocket-Key"}
    headers |= {"Sec-WebSocket-Key": key} if key is not None else {}
    assert Wire(fast.port).request("GET", wire.path(), headers).answer()[0] == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"Upgrade": "h2c"},
        {"Upgrade": ""},
        {"Connection": "keep-alive"},
        {"Connection": "Upgraded"},
    ],
)
def test_a_request_that_asks_for_no_upgrade_is_refused(fast, changed):
    status, _, body = Wire(fast.port).request("GET", wire.path(), UPGRADE | changed).answer()
    assert status == 400
    assert b'"code": 3' in body


def test_an_upgrade_request_is_a_get_of_http_1_1(fast):
    assert Wire(fast.port).request("POST", wire.path(), UPGRADE).answer()[0] == 400
    head = f"GET {wire.path()} HTTP/1.0\r\n" + "".join(f"{k}: {v}\r\n" for k, v in UPGRADE.items()) + "\r\n"
    assert Wire(fast.port).send(head.encode()).answer()[0] == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"Upgrade": "WebSocket"},
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "keep-alive,upgrade"},
        {"Upgrade": "h2c, websocket"},
        {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"},
        {"Sec-WebSocket-Protocol": "chat"},
    ],
)
def test_an_upgrade_request_may_be_written_in_other_ways(fast, changed):
    status, answered, _ = Wire(fast.port).request("GET", wire.path(), UPGRADE | changed).answer()
    assert (status, answered["upgrade"], answered["connection"]) == (101, "websocket", "Upgrade")
    assert "sec-websocket-extensions" not in answered
    assert "sec-websocket-protocol" not in answered
