"""Looks up host names with the system's resolver in real threads.

eventlet has a resolver of its own. Loading it takes 0.2 s of a worker's start, and it ignores nsswitch.conf and changes
of resolv.conf. `EVENTLET_NO_GREENDNS=no` restores it; it is also used if eventlet does not fit. Tested with the version
of eventlet in guard.TESTED.
"""

import importlib
import ipaddress
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from chassis.server.patches import guard

AT_ONCE = 8  # of the 20 threads that the database shares, so that hanging lookups leave some for it
NAMES = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo")


def use_the_systems_resolver() -> None:
    """Give eventlet's sockets lookups that do not block the hub; call it before patching."""
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
    """Call `lookup`, in a real thread if the answer may take time."""
    if _is_known(host):
        return lookup(host, *rest, **options)
    from eventlet import tpool

    with turns:
        return tpool.execute(lookup, host, *rest, **options)


def _is_known(host: Any) -> bool:
    """Return whether no server has to be asked: the host is an address or empty."""
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host or "0.0.0.0")  # noqa: S104
    except (ValueError, TypeError):
        return False
    return True
