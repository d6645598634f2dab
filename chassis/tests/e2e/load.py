"""What the soak test puts on a server: callers that repeat something in threads, and what went wrong in them."""

import http.client
import threading
import time
from collections import Counter
from pathlib import Path

from chassis.tests.patience import LIMIT_SECONDS


class Load:
    """Calls functions again and again until it is stopped."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.threads: list[threading.Thread] = []
        self.calls: Counter[str] = Counter()
        self.problems: list[str] = []

    def repeat(self, name: str, call, every_seconds: float) -> None:
        """Begin to call `call()`; a returned text is a problem, and so is an exception."""
        self.calls[name] += 0  # so that whoever adds them up meets no new name
        thread = threading.Thread(target=self._loop, args=(name, call, every_seconds), daemon=True)
        self.threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Let every caller end its call."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(LIMIT_SECONDS)

    def _loop(self, name: str, call, every_seconds: float) -> None:
        due = time.monotonic()
        while not self.stopping.wait(max(0.0, due - time.monotonic())):
            due = max(due + every_seconds, time.monotonic() - 1.0)  # catches up after a slow answer, but not for ever
            try:
                problem = call()
            except Exception as raised:
                problem = repr(raised)
            self.calls[name] += 1
            if problem:
                self.problems.append(f"{name}: {problem}")


class Memory:
    """Notes the resident memory of a process once a second."""

    def __init__(self, pid: int) -> None:
        self.status = Path(f"/proc/{pid}/status")
        self.seen: list[tuple[float, float]] = []

    def note(self) -> None:
        resident = next(line for line in self.status.read_text().splitlines() if line.startswith("VmRSS"))
        self.seen.append((time.monotonic(), int(resident.split()[1]) / 1024))

    def growth_megabytes(self) -> float:
        """Return how much the last tenth is over the tenth in the middle, so that start-up and peaks do not count."""
        values = [megabytes for _, megabytes in self.seen]
        tenth = max(1, len(values) // 10)
        middle = values[len(values) // 2 :][:tenth]
        return sum(values[-tenth:]) / tenth - sum(middle) / tenth


def quantile(metrics: str, name: str, share: float) -> float:
    """Return the upper bound of the histogram's bucket in which that share of its observations is reached."""
    buckets = [line for line in metrics.splitlines() if line.startswith(f"{name}_bucket")]
    counted = [(float(line.split('le="')[1].split('"')[0]), float(line.rpartition(" ")[2])) for line in buckets]
    counted.sort()
    return next(bound for bound, count in counted if count >= share * counted[-1][1])


class Caller:
    """Sends a request, on a connection that it keeps or on a new one each time, and says what went wrong."""

    def __init__(self, server, *, keep: bool) -> None:
        self.port, self.keep = server.port, keep
        self.slowest = 0.0
        self.connection = None

    def __call__(self) -> str | None:
        if self.connection is None or not self.keep:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_SECONDS)
        began = time.monotonic()
        self.connection.request("GET", "/livez")
        answer = self.connection.getresponse()
        answer.read()
        self.slowest = max(self.slowest, time.monotonic() - began)
        if not self.keep:
            self.connection.close()
        return None if answer.status == 200 else f"status {answer.status}"


def call_all_along(server) -> tuple[Load, list[Caller]]:
    """Send 100 requests a second, half of them on kept connections."""
    load, callers = Load(), []
    for number in range(4):
        callers.append(Caller(server, keep=number % 2 == 0))
        load.repeat(f"caller {number}", callers[-1], every_seconds=0.04)
    return load, callers
