"""What one process and one client may take."""

from dataclasses import dataclass

from app.server.websocket import Buffer


@dataclass(frozen=True, slots=True)
class Limits:
    """0 is no limit."""

    buffer: Buffer
    receive_messages: int
    receive_bytes: int
    connections: int
    connections_per_address: int
    handshake_seconds: float
    namespaces: int
    rooms: int
