"""A node's line to the others through one channel of Redis: one thread sends, one reads, and both survive outages."""

import json
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from chassis.base import redis_client
from chassis.server.nodes.alarm import Alarm
from chassis.server.nodes.heard import Heard
from chassis.server.nodes.journal import Journal
from chassis.server.nodes.watch import Watch

log = logging.getLogger(__name__)
Message = dict[str, Any]
BEAT_SECONDS = 1.0
SILENT_SECONDS = 3.0  # without its own beats coming back, a node takes Redis for hung and connects again
TIMEOUT_SECONDS = 1.0
PAUSE_SECONDS = 0.5  # between two attempts to connect
TRAVEL_SECONDS = 0.25  # how long a question may travel: what was sent so shortly before its node began comes too
BEAT, ASK, FROM = "beat", "ask", "from"


class Line:
    """Carries messages in the order of `append`; `take` is called with each message of the other nodes.

    Beside messages, three kinds of notes travel, which older versions ignore: a `beat` says how many messages a node
    has appended, and the last one that it leaves; `ask` wants those after a number, `from` is the answer: they follow,
    and earlier ones are gone.
    """

    def __init__(self, url: str, channel: str, node: str, take: Callable[[Message], None]) -> None:
        self._url, self._channel, self._node, self._deliver = url, channel, node, take
        self._mine = f'"origin": "{node}"}}'.encode()
        self._journal, self._alarm = Journal(node), Alarm()
        self._notes: deque[str] = deque()
        self._heard = Heard(self._ask, self._late, self._lost, self._gone)
        self._started, self._beaten, self._returned = time.monotonic(), 0.0, 0.0
        self._sending = self._left = False
        self.watch = Watch()

    @property
    def waits(self) -> bool:
        """Return whether there is something that was not sent yet."""
        return self._journal.waits or bool(self._notes) or self._sending

    def append(self, message: Message) -> None:
        """Send a message as soon as possible; raise TypeError or ValueError if it is no JSON."""
        self._journal.append(message)
        self._alarm.ring()

    def leave(self) -> None:
        """Tell the others that nothing more comes; called after the last message was sent."""
        self._left = True
        self._note(BEAT, place=self._journal.last, at=time.monotonic(), leaves=True)

    def send(self) -> None:
        """Send what there is, and a beat every second, forever."""
        while True:
            try:
                client = redis_client.client(self._url, seconds=TIMEOUT_SECONDS)
                while True:
                    self._send_all(client)
                    self._alarm.wait(BEAT_SECONDS)
            except Exception as error:
                self._fail(error)
                time.sleep(PAUSE_SECONDS)

    def _send_all(self, client: Any) -> None:
        if time.monotonic() - self._beaten >= BEAT_SECONDS and not self._left:
            self._beaten = time.monotonic()
            self._note(BEAT, place=self._journal.last, at=self._beaten)
        while True:
            self._sending = True  # before something is taken, so that `waits` stays true
            notes, taken = [*self._notes], self._journal.take()
            self._notes.clear()
            if not notes and not taken:
                self._sending = False
                return
            try:
                publish(client, self._channel, [*notes, *(kept.text for kept in taken)])
            except Exception:
                self._sending = False
                if taken:
                    self._journal.again_after(taken[0].place - 1)
                raise

    def read(self) -> None:
        """Read what the others send, forever."""
        while True:
            try:
                client = redis_client.client(self._url, seconds=TIMEOUT_SECONDS)
                with client.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(self._channel)
                    self._read_from(channel)
            except Exception as error:
                self._fail(error)
                time.sleep(PAUSE_SECONDS)

    def _read_from(self, channel: Any) -> None:
        self._heard.doubt()
        self._returned = time.monotonic()
        while time.monotonic() - self._returned < SILENT_SECONDS:
            found = channel.get_message(timeout=BEAT_SECONDS)
            if found is not None and found["type"] == "message":
                self._read_one(found["data"])
            self._heard.judge()
        raise TimeoutError("Redis delivers nothing")

    def _read_one(self, data: bytes) -> None:
        if data.endswith(self._mine):
            if data.startswith(b'{"method": "beat"'):
                self._hear_myself(json.loads(data))
            return
        try:
            message = json.loads(data)
            if isinstance(message, dict) and "method" in message:
                self._sort(message)
        except Exception:
            log.exception("A message of another node failed")

    def _hear_myself(self, beat: Message) -> None:
        self._returned = time.monotonic()
        self.watch.delay(self._returned - beat["at"])
        self.watch.up()

    def _sort(self, message: Message) -> None:
        method, origin = message["method"], message.get("origin")
        if origin is None or (method not in (BEAT, ASK, FROM) and self._heard.is_next(origin, message["place"])):
            self._deliver(message)
        elif method == BEAT:
            (self._heard.leaves if message.get("leaves") else self._heard.reached)(origin, message["place"])
        elif method == ASK and message["of"] == self._node:
            self._answer(origin, message)
        elif method == FROM and message["to"] == self._node:
            self._heard.resumes(origin, message["place"])

    def _ask(self, node: str, after: int | None) -> None:
        self._note(ASK, of=node, after=after, seconds=time.monotonic() - self._started)

    def _answer(self, asking: str, message: Message) -> None:
        after = message["after"]
        if after is None:
            place = self._journal.before(message["seconds"] + TRAVEL_SECONDS)
        else:
            place = max(after, self._journal.forgotten)
        self._note(FROM, to=asking, place=place)
        self._journal.again_after(place)

    def _note(self, method: str, **content: Any) -> None:
        self._notes.append(json.dumps({"method": method, **content, "origin": self._node}))
        self._alarm.ring()

    def _late(self, count: int) -> None:
        self.watch.late(count)

    def _lost(self, count: int) -> None:
        self.watch.lost(count)

    def _gone(self) -> None:
        self.watch.gone()

    def _fail(self, error: Exception) -> None:
        self.watch.down(f"{type(error).__name__}: {error}"[:200])


def publish(client: Any, channel: str, texts: list[str]) -> None:
    """Publish texts in their order, in one round trip where the server can."""
    if not hasattr(client, "connection_pool"):  # a cluster, which has no pipeline for this
        for text in texts:
            client.publish(channel, text)
        return
    with client.pipeline(transaction=False) as pipe:
        for text in texts:
            pipe.publish(channel, text)
        pipe.execute()
