"""Publishers that number their news and send each until it is answered, as many times as that takes."""

import threading

from chassis.tests.deploy.site import Site
from chassis.tests.patience import LIMIT_SECONDS

EVERY_SECONDS = 1.0
AGAIN_SECONDS = 0.2


class Publisher:
    """Sends one news after the other through the proxy, from an address of its own."""

    def __init__(self, who: str, site: Site, address: str) -> None:
        self.who, self._site, self._address = who, site, address
        self.last, self.repeated = 0, 0
        self._running, self._ended = threading.Event(), threading.Event()
        self._turn = threading.Lock()
        threading.Thread(target=self._all, daemon=True).start()

    def start(self) -> None:
        """Go on."""
        self._running.set()

    def pause(self) -> None:
        """Return when the news that is under way has been answered."""
        self._running.clear()
        assert self._turn.acquire(timeout=LIMIT_SECONDS), f"no answer to {self.who}"
        self._turn.release()

    def stop(self) -> None:
        """End."""
        self._ended.set()

    def tell(self) -> None:
        """Send the next news until it is answered."""
        attempt = 1
        while not self._send(attempt) and not self._ended.wait(AGAIN_SECONDS):
            attempt += 1
            self.repeated += 1
        self.last += 1

    def _all(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            with self._turn:
                if self._running.is_set():
                    self.tell()

    def _send(self, attempt: int) -> bool:
        path = f"/api/news/{self.who}/{self.last + 1}/{attempt}"
        try:
            return self._site.ask(path, method="POST", source=self._address)[0] == 200
        except (OSError, EOFError):
            return False
