"""Floods and calls of a client, and what the metrics and the log tell of limits."""

import json
import re

BUFFER_BYTES = 300_000
LARGE = 10_000  # bytes of an event of a flood
KERNEL_TAKES = 1_000  # events of a flood, more than fits into the buffers of both kernels
SMALL_BUFFER = 4_096


def refused(server, reason):
    """Return how many connections a limit has closed or refused."""
    found = re.search(rf'socket_refused_total{{reason="{reason}"}} (\S+)', server.get("/metrics")[1])
    return float(found[1]) if found else 0


def flood(server, count):
    assert server.request("POST", f"/flood/{count}")[0] == 200


def call(client, event, *args):
    """Return what an event's handler answers."""
    client.text("421" + json.dumps([event, *args]))
    while not (said := client.read_text()).startswith("431"):
        continue
    (answer,) = json.loads(said[3:])
    return answer


def code(answer):
    return answer["error"]["code"]


def ends(client):
    """Read what is still there, up to the end of the connection."""
    try:
        while True:
            client.read()
    except (EOFError, ConnectionResetError):
        return True


def closed_for(server, reason, before):
    """Return whether one more connection was closed for this reason, and told so in the log."""
    lines = [line for line in server.log.splitlines() if f'"{reason}"' in line and "socket_closed_by_limit" in line]
    return refused(server, reason) == before + 1 and lines
