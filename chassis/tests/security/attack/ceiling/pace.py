"""How fast this machine computes right now: other work on it makes every instruction dearer, in processor time too."""

import time

SAMPLES = 40
_best = [float("inf")]


def slowness() -> float:
    """Return how many times longer a fixed piece of work takes now than in the best moment of this process."""
    if _best[0] == float("inf"):
        _best[0] = min(_sample() for _ in range(SAMPLES))
    now = min(_sample() for _ in range(3))
    _best[0] = min(_best[0], now)
    return now / _best[0]


def _sample() -> float:
    """Do some work of the kind that requests do (dicts, texts, calls) and return its processor time in seconds."""
    began = time.thread_time()
    found: dict[str, str] = {}
    for number in range(1_500):
        name = f"name-{number}"
        found[name] = name.upper().replace("-", "_")
    sorted(found.items(), key=lambda item: item[1])
    return time.thread_time() - began
