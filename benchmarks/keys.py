"""Measures checks of API keys: all wrong keys cost the same, and a flood of them hardly slows right keys.

    python benchmarks/keys.py [--rounds N] [--check]

The kinds of keys are measured alternately in processor time, so that a busy machine affects all of them alike. With
--check the exit status is 1 if one kind of wrong key costs more than MOST_TIMES another, or if the flood slows right
keys by more than MOST_SLOWER.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from chassis.server.patches.for_eventlet import patch_standard_library

if __name__ == "__main__":
    patch_standard_library()

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from statistics import median

from chassis.db import db
from chassis.db.schema import CORE, upgrade
from chassis.errors import Unauthorized
from chassis.security import guessing, keys
from chassis.security.identity import Credentials
from chassis.security.keyring import Keyring
from chassis.settings import Settings

MOST_TIMES, MOST_SLOWER = 1.5, 2.0
CALLS, FLOOD, STORED = 100, 10, 200
Source = Callable[[], str]


def prepare(folder: str) -> list[str]:
    """Open a database with many keys and return them; the first is revoked and the second has expired.

    The limit of guesses is off, since it would answer sooner.
    """
    settings = Settings(app_env="test", database_url=f"sqlite:///{folder}/keys.db", auth_failure_limit=())
    guessing.configure(settings)
    db.open(settings)
    upgrade(db, [CORE])
    made = [keys.create(keys.NewKey(f"key {number}", ("submit",))) for number in range(STORED)]
    keys.revoke(made[0])
    keys.expire(made[1], time.time() - 1)
    return made


def wrong_keys(made: list[str]) -> dict[str, Source]:
    """Return a function for each kind of wrong key; it returns a new key each time if possible."""
    size = len(made[-1])
    mark, key_id, _ = made[-1].split("_", 2)  # the secret can contain underscores
    return {
        "noise": lambda: secrets.token_urlsafe(size)[:size],
        "right id": lambda: f"{mark}_{key_id}_{secrets.token_urlsafe(size)}"[:size],
        "last letter wrong": lambda: made[-1][:-1] + ("a" if made[-1][-1] != "a" else "b"),
        "short": lambda: secrets.token_urlsafe(4),
        "revoked": lambda: made[0],
        "expired": lambda: made[1],
    }


def wrong_costs(ring: Keyring, made: list[str], rounds: int) -> dict[str, float]:
    """Return the median processor seconds of one check for each kind of wrong key."""
    sources = wrong_keys(made)
    taken: dict[str, list[float]] = {name: [] for name in sources}
    for _ in range(rounds):
        for name, source in sources.items():
            taken[name].append(seconds(ring, [source() for _ in range(CALLS)], good=False))
    return {name: median(found) / CALLS for name, found in taken.items()}


def flood_costs(ring: Keyring, made: list[str], rounds: int) -> tuple[float, float]:
    """Return the median seconds of one check of a right key: alone, and after FLOOD wrong ones for each."""
    right, noise = made[2 : 2 + CALLS], wrong_keys(made)["noise"]
    alone, flooded = [], []
    for _ in range(rounds):
        alone.append(seconds(ring, right, good=True))
        seconds(ring, [noise() for _ in range(CALLS * FLOOD)], good=False)
        flooded.append(seconds(ring, right, good=True))
    return median(alone) / CALLS, median(flooded) / CALLS


def seconds(ring: Keyring, shown: Iterable[str], *, good: bool) -> float:
    """Return the processor time of checking these keys; they must be all good or all bad."""
    credentials = [Credentials(key) for key in shown]
    started = time.thread_time()
    found = [is_good(ring, one) for one in credentials]
    taken = time.thread_time() - started
    assert all(one == good for one in found)
    return taken


def is_good(ring: Keyring, credentials: Credentials) -> bool:
    """Return whether a key is known."""
    try:
        return ring.look_up(credentials) is not None
    except Unauthorized:
        return False


def times(costs: dict[str, float]) -> float:
    """Return the ratio of the highest to the lowest cost."""
    return max(costs.values()) / min(costs.values())


def report(costs: dict[str, float], alone: float, flooded: float) -> Iterator[str]:
    for name, cost in costs.items():
        yield f"{name:20}{cost * 1e6:>8.2f} us"
    yield f"\ndearest wrong key  {times(costs):>8.2f} times the cheapest, at most {MOST_TIMES}"
    yield f"right key          {alone * 1e6:>8.2f} us, in a flood {flooded * 1e6:.2f} us:"
    yield f"                   {flooded / alone:>8.2f} times, at most {MOST_SLOWER}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="how often each is measured")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a limit is exceeded")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made, ring = prepare(folder), Keyring()
        costs = wrong_costs(ring, made, arguments.rounds)
        alone, flooded = flood_costs(ring, made, arguments.rounds)
        db.close()
    print("\n".join(report(costs, alone, flooded)))
    exceeded = times(costs) > MOST_TIMES or flooded / alone > MOST_SLOWER
    return 1 if exceeded and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
