"""Many light Socket.IO clients in one thread, which come back when they are sent away."""

import asyncio
import json
import random
import threading
import time
from collections import Counter

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from chassis.tests.patience import LIMIT_SECONDS

AT_ONCE = 50


class Herd:
    """Websocket clients of the default namespace; JavaScript's delay before they reconnect.

    They come from one address, or, if they are `apart`, on Linux each from one of its own.
    """

    def __init__(
        self, server, size: int, *, delay: tuple[float, float] = (0.5, 1.5), key: str = "", apart: bool = False
    ) -> None:
        self.url = f"{server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
        self.size, self.delay, self._apart = size, delay, apart
        self.hello = "40" + json.dumps({"key": key}) if key else "40"
        self.live = 0
        self.codes: Counter[int] = Counter()
        self.announced = 0
        self.joined: list[float] = []
        self.failures: Counter[str] = Counter()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)
        self._stopping = threading.Event()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(LIMIT_SECONDS)

    async def _all(self) -> None:
        self._gate = asyncio.Semaphore(AT_ONCE)
        clients = [asyncio.create_task(self._one(number)) for number in range(self.size)]
        while not self._stopping.is_set():
            await asyncio.sleep(0.05)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _one(self, number: int) -> None:
        own = {"local_addr": (f"127.1.{number // 250}.{number % 250 + 1}", 0)} if self._apart else {}
        while True:
            try:
                await self._live(own)
            except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError, EOFError) as error:
                self.failures[type(error).__name__] += 1
            await asyncio.sleep(random.uniform(*self.delay))

    async def _live(self, own: dict) -> None:
        limits = {"ping_interval": None, "open_timeout": LIMIT_SECONDS, "close_timeout": 1}
        async with self._gate:
            socket = await connect(self.url, compression=None, proxy=None, **limits, **own)
            assert (await socket.recv())[0] == "0"
            await socket.send(self.hello)
            assert (await socket.recv())[:2] == "40"
        self.live += 1
        self.joined.append(time.monotonic())
        try:
            async for message in socket:
                if message == "2":
                    await socket.send("3")
                elif message.startswith("42"):
                    self.announced += json.loads(message[2:])[0] == "server:draining"
        finally:
            self.live -= 1
            self.codes[socket.close_code] += 1
            await socket.close()
