"""Not a test: 100 threads call the API in one kind of concurrency; prints what happened as JSON.

python green_callers.py eventlet|gevent|threading URL TLS_URL
"""

# ruff: noqa: E402 - patching comes before every other import
import sys

MODE, URL, TLS_URL = sys.argv[1:]
if MODE == "eventlet":
    import eventlet

    eventlet.monkey_patch()
elif MODE == "gevent":
    from gevent import monkey

    monkey.patch_all()

import json
import threading
import time

from app.concurrency import current_mode
from app.settings import Settings
from app.upstream import Cancelled, UpstreamClient

gaps: list[float] = []
stop = threading.Event()


def tick() -> None:
    """Note how late a short sleep ends: a blocked hub is late for all."""
    last = time.monotonic()
    while not stop.is_set():
        time.sleep(0.01)
        now = time.monotonic()
        gaps.append(now - last)
        last = now


def call_from_100_threads(client: UpstreamClient) -> list[str]:
    texts: list[str] = []

    def call(number: int) -> None:
        texts.append(client.complete(f"row {number}").text)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return texts


def seconds_to_cancel(url: str) -> float:
    cancelled = threading.Event()
    client = UpstreamClient()
    client.configure(Settings(upstream_base_url=url))
    client.complete("opens a connection")
    threading.Timer(0.5, cancelled.set).start()
    began = time.monotonic()
    try:
        client.complete("[slow]", cancelled=cancelled.is_set)
    except Cancelled:
        return time.monotonic() - began - 0.5
    return float("inf")


def main() -> None:
    client = UpstreamClient()
    client.configure(
        Settings(upstream_base_url=URL, upstream_requests_per_second=100, upstream_max_concurrent_requests=10)
    )
    client.complete("row warm")
    ticker = threading.Thread(target=tick)
    ticker.start()
    texts = call_from_100_threads(client)
    to_cancel = [seconds_to_cancel(URL), seconds_to_cancel(TLS_URL)]
    stop.set()
    ticker.join()
    found = {"mode": current_mode(), "texts": sorted(texts), "ticks": len(gaps), "max_gap": max(gaps)}
    print(json.dumps({**found, "to_cancel": to_cancel}))


main()
