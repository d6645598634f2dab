"""Connections of light Engine.IO clients through a proxy with TLS: a websocket, or long polls."""

import asyncio
import json
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from chassis.tests.deploy.site import Site

LOST = (OSError, EOFError, TimeoutError, ConnectionClosed, InvalidHandshake, ValueError)
HANDSHAKE_SECONDS = 20  # JavaScript's client gives up then, and tries again
PARTS = "\x1e"


class Websocket:
    """A websocket."""

    def __init__(self, site: Site, address: str) -> None:
        self._site, self._address = site, address
        self._socket: ClientConnection | None = None

    async def open(self) -> None:
        """Connect."""
        url = f"wss://localhost:{self._site.port}/socket.io/?EIO=4&transport=websocket"
        options = {"ssl": self._site.context, "local_addr": (self._address, 0), "host": "127.0.0.1"}
        self._socket = await connect(
            url, compression=None, ping_interval=None, open_timeout=None, close_timeout=0.1, proxy=None, **options
        )

    async def receive(self) -> list[str]:
        """Return the next packets."""
        assert self._socket is not None
        return [str(await self._socket.recv())]

    async def send(self, packet: str) -> None:
        """Send a packet."""
        assert self._socket is not None
        await self._socket.send(packet)

    def close(self) -> None:
        """Leave without a goodbye."""
        if self._socket is not None:
            self._socket.transport.abort()


class Polling:
    """Long polls over one connection, and what the client sends over another."""

    def __init__(self, site: Site, address: str) -> None:
        self._polls, self._posts = Http(site, address), Http(site, address)
        self._query = {"EIO": "4", "transport": "polling"}
        self._opened: list[str] = []
        self._sending = asyncio.Lock()

    async def open(self) -> None:
        """Begin a session."""
        self._opened = [await self._ask(self._polls)]
        self._query["sid"] = json.loads(self._opened[0][1:])["sid"]

    async def receive(self) -> list[str]:
        """Return the next packets."""
        opened, self._opened = self._opened, []
        return opened or (await self._ask(self._polls)).split(PARTS)

    async def send(self, packet: str) -> None:
        """Send a packet."""
        async with self._sending:
            await self._ask(self._posts, packet)

    def close(self) -> None:
        """Leave without a goodbye."""
        self._polls.close()
        self._posts.close()

    async def _ask(self, http: "Http", body: str = "") -> str:
        return await http.ask(f"/socket.io/?{urlencode(self._query)}", body)


class Http:
    """A kept-alive connection."""

    def __init__(self, site: Site, address: str) -> None:
        self._site, self._address = site, address
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, path: str, body: str = "") -> str:
        """Return the text of the answer; raise ConnectionError if it is none of the service's own."""
        if self._writer is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1",
                self._site.port,
                ssl=self._site.context,
                server_hostname="localhost",
                local_addr=(self._address, 0),
            )
        host = f"Host: localhost:{self._site.port}\r\n"
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\n{host}Content-Length: {len(body.encode())}\r\n\r\n"
        self._writer.write((head + body).encode())
        status, text = await self._answer()
        if status != 200:
            raise ConnectionError(f"status {status}")
        return text

    async def _answer(self) -> tuple[int, str]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(maxsplit=2)[1])
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        if headers.get("transfer-encoding") != "chunked":
            return status, (await self._reader.readexactly(int(headers["content-length"]))).decode()
        chunks = []
        while size := int(await self._reader.readline(), 16):
            chunks.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readline()
        return status, b"".join(chunks).decode()

    def close(self) -> None:
        """Close it."""
        if self._writer is not None:
            self._writer.transport.abort()


TRANSPORTS = {"websocket": Websocket, "polling": Polling}
