"""A client of the proxies that gateway.py compares: it prints its figures as JSON.

    python -m benchmarks.gateway_client PORT CLIENTS SECONDS

BENCHMARK_KEY is the key that it sends.
"""

import http.client
import json
import os
import sys
import threading
import time


def ask(connection: http.client.HTTPConnection, *, stream: bool) -> int:
    """Send one request and return how many parts came."""
    body = {"model": "small", "messages": [{"role": "user", "content": "hello"}], "stream": stream}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['BENCHMARK_KEY']}"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read()
    if response.status != 200 or (stream and b"[DONE]" not in text):
        raise RuntimeError(f"{response.status}: {text[:300]!r}")
    return text.count(b'"content":')


def run_client(port: int, clients: int, seconds: float) -> None:
    """Print the requests a second, the latencies in ms, and the streamed parts a second, as JSON."""
    found = {"requests": 0.0, "p50": 0.0, "p99": 0.0, "parts": 0.0}
    for stream in (False, True):
        times: list[float] = []
        parts: list[int] = []
        until = time.monotonic() + seconds

        def work(
            stream: bool = stream, times: list[float] = times, parts: list[int] = parts, until: float = until
        ) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            while time.monotonic() < until:
                began = time.perf_counter()
                parts.append(ask(connection, stream=stream))
                times.append(time.perf_counter() - began)

        threads = [threading.Thread(target=work) for _ in range(clients)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        if stream:
            found["parts"] = sum(parts) / took
        else:
            times.sort()
            found |= {"requests": len(times) / took, "p50": 1000 * times[len(times) // 2]}
            found["p99"] = 1000 * times[int(len(times) * 0.99)]
    print(json.dumps(found))


if __name__ == "__main__":
    run_client(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
