"""Packets with attachments, and what the server makes of packets."""

from chassis.tests.server import wire
from chassis.tests.server.wire import BINARY, frame

PLACEHOLDER = '{"_placeholder":true,"num":%s}'


def answers_to_callbacks(server):
    """Return what clients answered where the server asked by a callback."""
    return [entry[2] for entry in server.json("/seen") if entry[0] == "callback"]


def refused(fast, *packets, joined=True):
    """Return whether a client that sends this is closed, once, with nothing else to tell."""
    client = wire.join(fast.port) if joined else wire.open_session(fast.port)[0]
    client.send(*(frame(wire.TEXT, packet) if isinstance(packet, str) else frame(BINARY, packet) for packet in packets))
    return client.read_close() == 1002
