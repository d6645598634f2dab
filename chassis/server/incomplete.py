"""Puts packets of the stock transport together from their texts and attachments."""

import time
from typing import Any

from chassis.server import packets
from chassis.server.packets import Packet


class Incomplete:
    """Holds each session's packet until all of its attachments have arrived."""

    def __init__(self, eio: Any) -> None:
        self._eio = eio
        self._begun: dict[str, tuple[Packet, list[bytes], float]] = {}

    def complete(self, eio_sid: str, data: str | bytes) -> Packet | None:
        """Return the packet that this message completes, or None; raise ValueError for an invalid packet."""
        begun = self._begun.pop(eio_sid, None)
        if begun is None:
            return self._begin(eio_sid, data)
        packet, attachments, _ = begun
        if not isinstance(data, bytes):
            raise ValueError("an attachment is missing")
        attachments.append(data)
        if sum(map(len, attachments)) > self._eio.max_http_buffer_size:
            raise ValueError("the attachments are larger than a message may be")
        if len(attachments) < packet.attachments:
            self._begun[eio_sid] = begun
            return None
        return packets.join(packet, attachments)

    def _begin(self, eio_sid: str, data: str | bytes) -> Packet | None:
        if not isinstance(data, str):
            raise ValueError("bytes that belong to no packet")
        packet = packets.decode(data)
        if not packet.attachments:
            return packets.join(packet, []) if packet.kind >= packets.BINARY_EVENT else packet
        self._begun[eio_sid] = packet, [], time.monotonic()
        return None

    def forget(self, eio_sid: str) -> None:
        """Discard the packet of a session that has ended."""
        self._begun.pop(eio_sid, None)

    def stuck(self) -> list[str]:
        """Return the sessions that began a packet long ago and have not sent all of its attachments."""
        begun = time.monotonic() - self._eio.ping_interval - self._eio.ping_timeout
        return [eio_sid for eio_sid, (_, _, since) in self._begun.copy().items() if since < begun]
