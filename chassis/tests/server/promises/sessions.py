"""Sessions on the wire: their namespaces, answers and ends."""

import json
import re

from chassis.tests.patience import wait_until
from chassis.tests.server import wire

FEW_BYTES, NAMESPACES, ROOMS = 100_000, 2, 3


def ended(client):
    """Read until the server closes; what else comes is dropped."""
    try:
        while client.read()[0] != wire.CLOSE:
            continue
    except (EOFError, OSError):
        pass
    return True


def in_namespace(server, namespace="/"):
    """Return a websocket in a namespace, and its sid there."""
    client, opened = wire.open_session(server.port)
    prefix = "40" if namespace == "/" else f"40{namespace},"
    client.text(prefix)
    while not (said := client.read_text()).startswith(prefix):
        continue
    return client, json.loads(said.removeprefix(prefix))["sid"], opened["sid"]


def answer_to(client, packet):
    """Send an event that asks for an answer, and return the answer."""
    number = re.match(r"42(?:/\w+,)?(\d+)", packet)[1]
    client.text(packet)
    while not re.match(rf"43(?:/\w+,)?{number}\[", said := client.read_text()):
        continue
    return json.loads(said[said.index("[") :])


def forgotten(server, eio_sid):
    """Wait until a session is not kept, in any count."""
    wait_until(lambda: server.json(f"/kept/{eio_sid}") is False, "the session is kept")


def empty(server):
    """Wait until no client is left, in no count."""
    wait_until(lambda: server.json("/present") == [0, 0], "clients are kept")
    wait_until(lambda: server.metric("socket_connections") == 0, "clients are counted")
