"""Many light clients in one thread."""

import asyncio
import threading
from collections import Counter

from chassis.tests.deploy.site import Site
from chassis.tests.nodes.clients import Client
from chassis.tests.patience import LIMIT_SECONDS, PAUSE_SECONDS

AT_ONCE = 20  # that connect


class Crowd:
    """Many clients in one thread, half of them with each transport."""

    def __init__(self, site: Site, size: int) -> None:
        self.counted: Counter[str] = Counter()
        self._stopping, self._gate = threading.Event(), asyncio.Semaphore(AT_ONCE)
        self.clients = [Client(number, site, self.counted, self._gate) for number in range(size)]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)
        self._thread.start()

    async def _all(self) -> None:
        tasks = [asyncio.create_task(client.run()) for client in self.clients]
        while not self._stopping.is_set():
            await asyncio.sleep(PAUSE_SECONDS)
            for task in tasks:
                if task.done():
                    task.result()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """Let all leave."""
        self._stopping.set()
        self._thread.join(LIMIT_SECONDS)

    @property
    def faults(self) -> list[str]:
        """What the clients noted."""
        return [fault for client in self.clients for fault in client.stream.faults]

    def forget_faults(self) -> None:
        """Forget what the clients noted."""
        for client in self.clients:
            client.stream.faults.clear()
            client.stream.holes.clear()

    def absent(self, last: dict[str, int]) -> list[str]:
        """Return the clients that are away, do not know the last news or have missed some."""
        return [
            f"{client.transport} {client.live} {client.stream.known} {client.stream.holes}"
            for client in self.clients
            if not client.live or client.stream.known != last or client.stream.holes
        ]

    @property
    def live(self) -> int:
        """How many have joined."""
        return sum(client.live for client in self.clients)
