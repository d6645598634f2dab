"""What the fake API saw of its clients."""

import threading
import time
from collections import deque

KEPT_BODIES = 20  # of requests, the last ones


class Stats:
    """What the server saw; one lock for all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.starts: list[float] = []
            self.prompts: list[str] = []
            self.bodies: deque[dict] = deque(maxlen=KEPT_BODIES)
            self.keys: list[str] = []
            self.ports: set[int] = set()
            self.attempts: dict[str, int] = {}
            self.max_in_flight = self.in_flight

    def begin(self, body: dict, prompt: str, key: str, port: int) -> int:
        """Count a request; return which attempt of its prompt it is."""
        with self.lock:
            self.starts.append(time.monotonic())
            self.prompts.append(prompt)
            self.bodies.append(body)
            self.keys.append(key)
            self.ports.add(port)
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            self.attempts[prompt] = self.attempts.get(prompt, 0) + 1
            return self.attempts[prompt]

    def end(self) -> None:
        with self.lock:
            self.in_flight -= 1

    def as_dict(self) -> dict:
        with self.lock:
            return {
                "requests": len(self.starts),
                "starts": self.starts,
                "max_in_flight": self.max_in_flight,
                "in_flight": self.in_flight,
                "prompts": self.prompts,
                "bodies": list(self.bodies),
                "keys": self.keys,
                "connections": len(self.ports),
            }
