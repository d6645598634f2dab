"""The measured scenarios: each has the client's arguments, the value to read from its answer, and an aim."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Answer = dict[str, Any]
KILOBYTE = 1024


@dataclass(frozen=True)
class Scenario:
    """One row of the table; `times` is how many times better than a peer ours should be, `limit` an absolute aim."""

    name: str
    title: str
    unit: str
    arguments: str
    value: Callable[[Answer], float]
    times: dict[str, float] = field(default_factory=dict)
    limit: float | None = None
    less_is_better: bool = False
    cpu: str = "cpu"  # the client's share of a core, which must not be the bottleneck
    ours_only: bool = False

    @property
    def clients(self) -> int:
        """How many clients are there at once."""
        return int(self.arguments.partition("--clients ")[2].split()[0])


def per_second(count: str, share: str = "server_cpu") -> Callable[[Answer], float]:
    """Return a function that reads the rate per second of server time on a core of its own.

    A server that waits for the client, or for others on a busy machine, is not rated worse for it.
    """
    return lambda answer: float(answer[f"{count}_per_second"]) / max(float(answer[share]), 0.01)


def p99(answer: Answer) -> float:
    """Return the 99th percentile in milliseconds."""
    return float(answer["p99_ms"])


EVENTS, DELIVERIES = per_second("events"), per_second("deliveries")
CONNECTS = per_second("connects", "connect_server_cpu")


def memory(answer: Answer) -> float:
    """Return kB per connection."""
    return float(answer["memory"]) / float(answer["joined"]) / KILOBYTE


def scenarios(seconds: float, idle: int = 5000, crowd_seconds: float = 60) -> list[Scenario]:
    """Return all scenarios; memory comes first, while a server has used none yet."""
    time = f"--seconds {seconds}"
    return [*_connections(idle), *_messages(time), *_delays_and_pages(time, crowd_seconds)]


def _connections(idle: int) -> list[Scenario]:
    return [
        Scenario(
            *("memory", f"idle memory a connection, {idle:,} clients", "kB", f"--clients {idle} --seconds 1.5", memory),
            times={"stock": 1, "asgi": 1, "node": 1},
            limit=20,
            less_is_better=True,
            cpu="connect_cpu",
        ),
        Scenario(
            *("connects", f"connects, {idle // 2:,} clients", "a second", f"--clients {idle // 2}", CONNECTS),
            times={"stock": 1.3},
            cpu="connect_cpu",
        ),
    ]


def _messages(time: str) -> list[Scenario]:
    fanout = f"{time} --fanout 1 --clients"
    return [
        Scenario(
            *("echo", "echo of 64 bytes, 50 clients", "events/s", f"{time} --clients 50 --active 50", EVENTS),
            times={"stock": 4, "asgi": 1.5},
        ),
        Scenario(
            *("fanout-500", "fan-out to 500", "deliveries/s", f"{fanout} 500", DELIVERIES),
            times={"stock": 5, "node": 1.5},
        ),
        Scenario(
            *("fanout-2000", "fan-out to 2,000", "deliveries/s", f"{fanout} 2000", DELIVERIES),
            times={"stock": 5, "node": 1.5},
        ),
        Scenario(
            *("large", "echo of 16 kB, 20 clients", "events/s"),
            *(f"{time} --clients 20 --active 20 --bytes 16384", EVENTS),
            times={"stock": 15, "asgi": 1},
        ),
    ]


def _delays_and_pages(time: str, crowd_seconds: float) -> list[Scenario]:
    return [
        Scenario(
            *("p99", "p99 of an echo while 10 fan-outs a second go to 1,000", "ms"),
            *(f"{time} --clients 1000 --active 50 --rate 4 --fanout 1 --fanout-rate 10", p99),
            times={"stock": 1, "asgi": 1, "node": 1},
            limit=50,
            less_is_better=True,
        ),
        Scenario(
            *("http", "GET of a JSON route, 20 keep-alive clients", "requests/s"),
            *(f"{time} --http --clients 20 --active 20", EVENTS),
            times={"stock": 1},
        ),
        Scenario(
            *("crowd", "p99 of an echo with 10,000 idle and 100 active clients", "ms"),
            *(f"--clients 10100 --active 100 --rate 5 --seconds {crowd_seconds}", p99),
            limit=100,
            less_is_better=True,
            ours_only=True,
        ),
    ]
