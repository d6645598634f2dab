"""Caps on what one process holds: connections, namespaces, rooms, and bytes and messages that wait."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STRANGERS_BYTES = 65_536  # of a message from somebody who is in no namespace yet


@dataclass(frozen=True, slots=True)
class Buffer:
    """What may wait for a client that reads slowly; 0 is no limit."""

    max_bytes: int
    max_messages: int


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps of a process and of each client; 0 is no limit."""

    buffer: Buffer
    receive_messages: int
    receive_bytes: int
    connections: int
    connections_per_address: int
    unjoined_per_address: int
    handshake_seconds: float
    namespaces: int
    rooms: int
    counted_as: Callable[[dict[str, Any]], str | None]  # None for no address
