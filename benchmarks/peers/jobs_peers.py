"""The peers' side of benchmarks/jobs.py: queues the same trivial job with one of them.

Each peer has a module `peer_NAME.py` with its job and `send(at, told)`, so that a worker imports no other peer. Its
`prepare()`, if there is one, is called before.
"""

import importlib
import sys
import time
from pathlib import Path


def trivial(at: float, told: str) -> None:
    """Report when the job was queued and started."""
    with Path(told).open("a") as file:
        file.write(f"{at} {time.time()}\n")


def main(name: str, number: int, pause: float, told: str) -> None:
    """Queue jobs, and print the seconds that it took."""
    peer = importlib.import_module(f"peer_{name}")
    if hasattr(peer, "prepare"):
        peer.prepare()
    started = time.time()
    for _ in range(number):
        peer.send(time.time(), told)
        time.sleep(pause)
    print(time.time() - started, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
