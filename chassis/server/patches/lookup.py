"""Names of hosts, looked up by the system's resolver in real threads.

eventlet has a resolver of its own. Loading it takes 0.2 s of a worker's start, and it reads neither nsswitch.conf nor
a resolv.conf that changed. `EVENTLET_NO_GREENDNS=no` brings it back, and so does an eventlet that does not fit. Tested
with the version of eventlet in guard.TESTED.
"""

import importlib
import ipaddress
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from chassis.server.patches import guard

AT_ONCE = 8  # of the 20 threads that the database shares: lookups that hang leave it the rest
NAMES = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo")


def use_the_systems_resolver() -> None:
    """Give eventlet's sockets lookups that leave the hub free; call it before anything is patched."""
    if os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes").lower() != "yes":
        return
    from eventlet.green import socket as green
    from eventlet.semaphore import Semaphore

    missing = tuple(f"socket.{name}" for name in NAMES if name not in getattr(green, "__patched__", ()))
    if missing:
        os.environ["EVENTLET_NO_GREENDNS"] = "no"
        importlib.reload(green)
        guard.warn("eventlet", "Names of hosts are looked up by eventlet's own resolver.", missing)
        return
    turns = Semaphore(AT_ONCE)
    for name in NAMES:
        setattr(green, name, partial(_beside_the_hub, turns, getattr(socket, name)))


def _beside_the_hub(turns: Any, lookup: Callable[..., Any], host: Any, *rest: Any, **options: Any) -> Any:
    """Call `lookup`, in a real thread when the answer may take time."""
    if _is_known(host):
        return lookup(host, *rest, **options)
    from eventlet import tpool

    with turns:
        return tpool.execute(lookup, host, *rest, **options)


def _is_known(host: Any) -> bool:
    """Tell whether no server has to be asked: for an address, and for none."""
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host or "0.0.0.0")  # noqa: S104
    except (ValueError, TypeError):
        return False
    return True
