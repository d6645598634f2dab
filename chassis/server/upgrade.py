"""The change from long polls to a websocket: a probe, its answer, and the client's last word."""

from typing import TYPE_CHECKING

from eventlet import hubs

from chassis.server import frames, packets

if TYPE_CHECKING:
    from chassis.server.connection import Connection
    from chassis.server.websocket import WebSocket


class Superfluous:
    """Owns a further websocket of a session that has one, which is closed again as the reference does."""

    def received(self, _payload: str | bytes) -> None:
        """Nothing is expected."""

    def closed_by_client(self) -> None:
        """Nothing depends on it."""

    def failed(self, _cause: str, _detail: str) -> None:
        """Nothing depends on it."""


class Probe:
    """Owns the new websocket until the client has changed over; when it fails, the session goes on by polls."""

    def __init__(self, connection: "Connection", seconds: float) -> None:
        self._connection, self._seconds = connection, seconds
        self._websocket: WebSocket | None = None

    def begin(self, websocket: "WebSocket") -> None:
        """Give the client its time."""
        self._websocket = websocket
        self._connection.probe = self
        if self._seconds:
            hubs.get_hub().schedule_call_global(self._seconds, self.end, frames.POLICY)

    def received(self, payload: str | bytes) -> None:
        """Handle the probe, then the upgrade."""
        connection, websocket = self._connection, self._websocket
        if websocket is None:
            return
        if payload == "2probe" and not connection.upgrading and not connection.upgraded:
            connection.begin_upgrade()  # before it is sent, for that may end the probe
            websocket.send(packets.PROBED.frame)
        elif payload == "5" and connection.upgrading and not connection.closed:
            self._websocket = connection.probe = None
            websocket.belong_to(connection)
            connection.use(websocket)
        else:
            self.end(frames.UNSUPPORTED if isinstance(payload, bytes) else frames.PROTOCOL_ERROR)

    def closed_by_client(self) -> None:
        """Go on by polls."""
        self.end()

    def failed(self, _cause: str, _detail: str) -> None:
        """Go on by polls."""
        self.end()

    def end(self, code: int = frames.NORMAL) -> None:
        """Let the websocket go."""
        websocket, self._websocket = self._websocket, None
        if websocket is not None:
            self._connection.upgrading, self._connection.probe = False, None
            websocket.close(code)
