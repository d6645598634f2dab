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

from chassis.base.concurrency import current_mode
from chassis.settings import Settings
from chassis.upstream import Cancelled, UpstreamClient

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
    """Cancel a call without an answer after so many ticks, which only a free hub makes."""
    client = UpstreamClient()
    client.configure(Settings(upstream_base_url=url, upstream_timeout_seconds=3600))
    client.complete("opens a connection")
    enough = ticks + 50
    try:
        client.complete("[slow]", cancelled=lambda: ticks > enough)
    except Cancelled:
        return True
    return False


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
    cancelled = [ends_when_cancelled(URL), ends_when_cancelled(TLS_URL)]
    stop.set()
    ticker.join()
    print(json.dumps({**found, "cancelled": cancelled}))


main()
