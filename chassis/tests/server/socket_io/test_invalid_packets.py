"""An invalid packet closes its connection, and nothing else."""

import pytest

from chassis.tests.server.socket_io.packets import refused


@pytest.mark.parametrize(
    "packet",
    [
        "4",
        "4abc",
        "47",
        "42",
        "42{}",
        '42"echo"',
        "42[]",
        "42[null]",
        "42[true]",
        "42[{}]",
        "42[[]]",
        '42["echo"',
        '42["echo"]x',
        '42["echo",NaN]',
        '42["echo",Infinity]',
        '42["echo",' + "1" * 5_000 + "]",
        "42" + "[" * 100_000,
        '42["connect"]',
        '42["connect_error"]',
        '42["disconnect"]',
        '42["disconnecting"]',
        '42["newListener"]',
        '42["removeListener"]',
        '42abc["echo"]',
        '42-1["echo"]',
        '42\u0661["echo"]',
        '421.5["echo"]',
        '42/all["x"]',
        "43[]",
        "431",
        "431{}",
        '431"x"',
        "44",
        '44{"message":"I refuse"}',
        '40"text"',
        "40[]",
        "401",
        "411",
        "41{}",
        "41[]",
    ],
)
def test_an_invalid_packet_closes_the_connection(fast, packet):
    assert refused(fast, packet)


def test_an_invalid_packet_closes_nothing_else(fast, client):
    pid, logged = fast.workers(), len(fast.log)
    for packet in ("4abc", "42{}", "44", "42[" * 1000):
        assert refused(fast, packet)
    client.text('42["echo","still here"]')
    assert client.read_text() == '42["echo","still here"]'
    assert fast.workers() == pid
    assert fast.log[logged:].count("invalid_packet") == 4
    assert "Traceback" not in fast.log[logged:]
