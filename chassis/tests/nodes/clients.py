"""Light clients that follow the news as chassis/web/static/rooms.js does, and note what it would not have noticed."""

import asyncio
import json
import random
from collections import Counter

from chassis.tests.deploy.site import Site
from chassis.tests.nodes.lines import HANDSHAKE_SECONDS, LOST, TRANSPORTS
from chassis.tests.nodes.stream import Stream

RETRY_SECONDS = 2.0  # as rooms.js
DELAY_SECONDS = (0.5, 1.5)  # JavaScript's, before the first attempt to reconnect
PER_ADDRESS = 10


class Client:
    """One client with its own connection, which it opens again when it ends."""

    def __init__(self, number: int, site: Site, counted: Counter[str], gate: asyncio.Semaphore) -> None:
        self.transport = sorted(TRANSPORTS)[number % 2]
        self._site, self._counted, self._gate = site, counted, gate
        self._address = f"127.0.{10 + number // PER_ADDRESS}.1"  # nginx' ip_hash sees the first three numbers
        self.stream, self.live = Stream(counted), False

    async def run(self) -> None:
        """Live until cancelled."""
        while True:
            self._line = TRANSPORTS[self.transport](self._site, self._address)
            self._tasks: set[asyncio.Task[None]] = set()
            try:
                await self._live()
            except LOST as error:
                self._counted[f"lost {self.transport}: {type(error).__name__}"] += 1
            finally:
                self.live = False
                for task in self._tasks:
                    task.cancel()
                self._line.close()
            await asyncio.sleep(random.uniform(*DELAY_SECONDS))

    async def _live(self) -> None:
        async with self._gate, asyncio.timeout(HANDSHAKE_SECONDS):
            await self._line.open()
            packets = await self._line.receive()
            opened = json.loads(packets.pop(0)[1:])
            await self._line.send("40")
        self._counted[f"connected {self.transport}"] += 1
        silence = (opened["pingInterval"] + opened["pingTimeout"]) / 1000
        while True:
            for packet in packets:
                await self._take(packet)
            async with asyncio.timeout(silence):
                packets = await self._line.receive()

    async def _take(self, packet: str) -> None:
        if packet == "2":
            await self._line.send("3")
        elif packet.startswith("40"):
            self._soon(self._join())
        elif packet.startswith("42"):
            event, *data = json.loads(packet[2:])
            if self.stream.receive(event, data[0] if data else None):
                self._soon(self._fetch())
        elif packet.startswith("43"):
            number, _, answer = packet[2:].partition("[")
            await self._answered(number, json.loads(f"[{answer}")[0])
        elif packet == "1" or packet.startswith("41"):
            raise ConnectionError("told to leave")

    async def _join(self) -> None:
        self.stream.joining = True
        await self._line.send("421" + json.dumps(["follow", {"after": self.stream.position}]))

    async def _fetch(self) -> None:
        await self._line.send('422["fetch"]')

    async def _answered(self, number: str, answer: dict) -> None:
        if not answer.get("ok"):
            self._counted[f"refused: {answer['error']['code']}"] += 1
            self._soon(self._again(self._join if number == "1" else self._fetch))
        elif number == "1":
            self.stream.joined(answer)
            self.live = True
        else:
            self.stream.fetched(answer["state"])

    async def _again(self, send) -> None:
        await asyncio.sleep(RETRY_SECONDS)
        await send()

    def _soon(self, work) -> None:
        """Send beside receiving: a poll and what is sent wait for each other in no case."""
        task = asyncio.create_task(self._quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work) -> None:
        try:
            await work
        except LOST:
            self._line.close()
