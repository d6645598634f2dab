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
from collections.abc import Callable

from chassis.base.concurrency import current_mode
from chassis.settings import Settings
from chassis.upstream import Cancelled, Check, UpstreamClient

ticks = 0
stop = threading.Event()


def tick() -> None:
    """Count short sleeps: a call that holds up the hub lets none of them end."""
    global ticks
    while not stop.is_set():
        time.sleep(0.01)
        ticks += 1


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


def ends_when_cancelled(url: str) -> bool:
    """Cancel calls without an answer or without an end after so many ticks, which only a free hub makes."""
    client = UpstreamClient()
    client.configure(Settings(upstream_base_url=url, upstream_timeout_seconds=3600, upstream_idle_timeout_seconds=3600))
    client.complete("opens a connection")
    calls = (
        lambda cancelled: client.complete("[slow]", cancelled=cancelled),
        lambda cancelled: list(client.stream("[pause]", cancelled=cancelled)),
    )
    return all(ends(call, ticks + 50) for call in calls)


def ends(call: Callable[[Check], object], enough: int) -> bool:
    try:
        call(lambda: ticks > enough)
    except Cancelled:
        return True
    return False


def streamed_by_50_threads(client: UpstreamClient) -> list[str]:
    texts: list[str] = []

    def call(number: int) -> None:
        texts.append("".join(part.text for part in client.stream(f"streamed {number}")))

    threads = [threading.Thread(target=call, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return texts


def main() -> None:
    client = UpstreamClient()
    client.configure(
        Settings(upstream_base_url=URL, upstream_requests_per_second=100, upstream_max_concurrent_requests=10)
    )
    client.complete("row warm")
    ticker = threading.Thread(target=tick)
    ticker.start()
    began = time.monotonic()
    texts = call_from_100_threads(client)
    found = {"mode": current_mode(), "texts": sorted(texts), "began": began}
    streamed = sorted(streamed_by_50_threads(client))
    cancelled = [ends_when_cancelled(URL), ends_when_cancelled(TLS_URL)]
    stop.set()
    ticker.join()
    print(json.dumps({**found, "streamed": streamed, "cancelled": cancelled}))


main()
