"""Limits of one process: connections, namespaces, rooms, and queued bytes and messages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STRANGERS_BYTES = 65_536  # limit for a message from a client that has joined no namespace yet


@dataclass(frozen=True, slots=True)
class Buffer:
    """The limits of the queue for a client that reads slowly; 0 means no limit."""

    max_bytes: int
    max_messages: int


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits of a process and of each client; 0 means no limit."""

    buffer: Buffer
    receive_messages: int
    receive_bytes: int
    connections: int
    connections_per_address: int
    unjoined_per_address: int
    handshake_seconds: float
    namespaces: int
    rooms: int
    counted_as: Callable[[dict[str, Any]], str | None]  # None if the address is not counted
