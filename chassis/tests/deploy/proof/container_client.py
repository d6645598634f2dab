"""What a visitor does: pages, a batch and a socket, over HTTP or over TLS with a certificate of our own."""

import asyncio
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import websockets

from chassis.tests.named import EXAMPLE

ROWS = [{"name": name} for name in ("Vibrio cholerae", "Bacillus subtilis", "Yersinia pestis")]


class Visitor:
    """Visits one address."""

    def __init__(self, url: str, certificate: Path | None = None, key: str = "") -> None:
        self.url, self.certificate, self.key = url, certificate, key
        self.context = ssl.create_default_context(cafile=certificate) if certificate else None

    def get(self, path: str, body: object = None, timeout: float = 10) -> tuple[int, str]:
        """Return status and text; 0 when nobody answers."""
        data, headers = (json.dumps(body).encode(), {"Content-Type": "application/json"}) if body else (None, {})
        headers |= {"X-API-Key": self.key} if self.key else {}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self.context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""

    def wait_for_page(self, seconds: float = 60) -> None:
        """Wait until the service is ready, and see its page."""
        until(lambda: self.get("/readyz")[0] == 200, seconds, f"{self.url} is not ready")
        assert "<main" in self.get("/")[1]

    def run_batch(self) -> str:
        """Let a batch of rows be answered, and return its id."""
        status, text = self.get(f"/api/{EXAMPLE}", {"prompt": "Is {name} harmful: yes or no?", "rows": ROWS})
        assert status == 202, (status, text)
        name = json.loads(text)["id"]
        until(lambda: self.done(name) == len(ROWS), 30, "the batch is not done")
        return name

    def done(self, batch: str) -> int:
        """Return how many rows of a batch have their answer."""
        status, text = self.get(f"/api/{EXAMPLE}/{batch}")
        return json.loads(text)["done"] if status == 200 else 0

    def call_by_websocket(self) -> None:
        """Open a websocket as a page of the site does, and get an answer by it.

        In one thread: python-socketio's client reads and writes in two, and Python's TLS loses a connection by that.
        """
        with ThreadPoolExecutor(1) as thread:  # a browser of the tests has a loop in this one
            answer = thread.submit(lambda: asyncio.run(self._call())).result()
        assert json.loads(answer[2:])[0]["error"]["code"] == "not_found"

    async def _call(self) -> str:
        url = self.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        async with websockets.connect(url, origin=self.url, ssl=self.context, proxy=None) as socket:
            assert (await socket.recv()).startswith("0{")
            await socket.send("40" + json.dumps({"key": self.key}))
            assert (await socket.recv()).startswith("40{")
            await socket.send('421["job:subscribe",{"id":"none"}]')
            answer = await asyncio.wait_for(socket.recv(), 10)
            assert answer.startswith("431["), answer
            return answer[1:]


class Stream:
    """Asks for a page ten times a second while something else happens."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.answers, self.longest, self.on = visitor, [], 0.0, True
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        """Ask until told to end."""
        while self.on:
            started = time.monotonic()
            self.answers.append(self.visitor.get("/livez", timeout=40)[0])
            self.longest = max(self.longest, time.monotonic() - started)
            time.sleep(0.1)

    def __enter__(self) -> "Stream":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.on = False
        self.thread.join()


def until(condition, seconds: float, message: str) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{message} within {seconds:.0f} s"
        time.sleep(0.1)
