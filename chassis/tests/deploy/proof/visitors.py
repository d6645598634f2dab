"""100 requests a second and 200 open sockets, until standard input ends; prints what went wrong, if anything."""

import json
import sys
import time
from types import SimpleNamespace

from chassis.tests.e2e.herd import Herd
from chassis.tests.e2e.load import call_all_along

SOCKETS = 200


def main() -> None:
    """Come, stay and leave."""
    port = int(sys.argv[1])
    server = SimpleNamespace(port=port, url=f"http://127.0.0.1:{port}")
    herd = Herd(server, SOCKETS, key=sys.argv[2], apart=True)
    wait_until_all(herd)
    load, callers = call_all_along(server)
    print("here", flush=True)
    sys.stdin.read()
    seconds = wait_until_all(herd)
    load.stop()
    told = {
        "requests": sum(load.calls.values()),
        "failed": load.problems,
        "slowest": max(caller.slowest for caller in callers),
        "came_back": len(herd.joined) - SOCKETS,
        "socket_failures": dict(herd.failures),
        "back_after": (herd.joined[-1] - herd.joined[SOCKETS]) if len(herd.joined) > SOCKETS else 0.0,
        "waited": seconds,
    }
    herd.stop()
    print(json.dumps(told))


def wait_until_all(herd: Herd) -> float:
    """Wait until every socket is open, and return how long that took."""
    began = time.monotonic()
    while herd.live < SOCKETS:
        assert time.monotonic() < began + 60, f"{herd.live} of {SOCKETS} sockets are open"
        time.sleep(0.05)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
