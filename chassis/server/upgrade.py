"""The upgrade from long polling to a websocket: a probe, its answer, and the upgrade packet."""

from typing import TYPE_CHECKING

from chassis.server import frames, hub, packets

if TYPE_CHECKING:
    from chassis.server.connection import Connection
    from chassis.server.websocket import WebSocket


class Superfluous:
    """Owns a second websocket of a session, which is closed as in the reference implementation."""

    def received(self, _payload: str | bytes) -> None:
        """Ignore messages."""

    def closed_by_client(self) -> None:
        """Do nothing, since the session does not depend on this websocket."""

    def failed(self, _cause: str, _detail: str) -> None:
        """Do nothing, since the session does not depend on this websocket."""


class Probe:
    """Owns the new websocket until the client has upgraded; if that fails, the session continues by polling."""

    def __init__(self, connection: "Connection", seconds: float) -> None:
        self._connection, self._seconds = connection, seconds
        self._websocket: WebSocket | None = None

    def begin(self, websocket: "WebSocket") -> None:
        """Start the time limit for the upgrade."""
        self._websocket = websocket
        self._connection.probe = self
        if self._seconds:
            hub.current().later(self._seconds, self.end, frames.POLICY)

    def received(self, payload: str | bytes) -> None:
        """Handle the probe, then the upgrade."""
        connection, websocket = self._connection, self._websocket
        if websocket is None:
            return
        if payload == "2probe" and not connection.upgrading and not connection.upgraded:
            connection.begin_upgrade()  # first, since sending can end the probe
            websocket.send(packets.PROBED.frame)
        elif payload == "5" and connection.upgrading and not connection.closed:
            self._websocket = connection.probe = None
            websocket.belong_to(connection)
            connection.use(websocket)
        else:
            self.end(frames.UNSUPPORTED if isinstance(payload, bytes) else frames.PROTOCOL_ERROR)

    def closed_by_client(self) -> None:
        """Continue by polling."""
        self.end()

    def failed(self, _cause: str, _detail: str) -> None:
        """Continue by polling."""
        self.end()

    def end(self, code: int = frames.NORMAL) -> None:
        """Close the websocket."""
        websocket, self._websocket = self._websocket, None
        if websocket is not None:
            self._connection.upgrading, self._connection.probe = False, None
            websocket.close(code)
