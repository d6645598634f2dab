"""Measures one `take` of the token bucket: in memory, in memory that workers share, and in Redis.

    python benchmarks/limits.py [--takes N] [--workers N] [--redis URL]

Each figure is the median of many groups of takes, of two rates each, over a thousand addresses. The shared bucket is
also measured while other processes take from it, and in the worst case, where all take from one set.
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from chassis.limits import MemoryBuckets, Rate
from chassis.limits.machine import Machine, Master
from chassis.limits.redis import RedisBuckets
from chassis.limits.verdict import Buckets

RATES = (Rate(600, 60), Rate(30, 1))
ADDRESSES = [f"anonymous:192.0.{number // 256}.{number % 256}" for number in range(1000)]
GROUP = 20  # so short that a busy machine interrupts few of them
FORK = multiprocessing.get_context("fork")


def main() -> None:
    """Print one line for each kind of bucket."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--takes", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2, help="processes that take at the same time")
    parser.add_argument("--redis", help="URL of a Redis to measure")
    asked = parser.parse_args()
    ticket = Master(20_000, asked.workers).admit(1)
    assert ticket is not None
    shared = Machine(ticket).buckets
    tell("memory", MemoryBuckets(), ADDRESSES, asked.takes)
    tell("shared memory", shared, ADDRESSES, asked.takes)
    for title, keys in (("", ADDRESSES), (", one address", ADDRESSES[:1])):
        others = [FORK.Process(target=take_on, args=(shared, keys), daemon=True) for _ in range(1, asked.workers)]
        for other in others:
            other.start()
        tell(f"shared memory, {asked.workers} processes{title}", shared, keys, asked.takes)
        for other in others:
            other.terminate()
    if asked.redis:
        tell("Redis", RedisBuckets(asked.redis), ADDRESSES, asked.takes // 10)


def tell(title: str, buckets: Buckets, keys: list[str], takes: int) -> None:
    """Measure takes and print their median."""
    found = []
    for first in range(0, takes, GROUP):
        since = time.perf_counter()
        for number in range(first, first + GROUP):
            buckets.take(keys[number % len(keys)], RATES)
        found.append((time.perf_counter() - since) / GROUP * 1e6)
    print(f"{title}: {statistics.median(found):.1f} us, {min(found):.1f} at best")


def take_on(buckets: Buckets, keys: list[str]) -> None:
    """Take until the process is ended."""
    while True:
        for key in keys:
            buckets.take(key, RATES)


if __name__ == "__main__":
    main()
