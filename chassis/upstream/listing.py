"""The models that an API lists, which is also a check of its health."""

from typing import Any

from chassis.base.texts import excerpt, storable
from chassis.upstream.connections import WireLimits
from chassis.upstream.replies import MAX_CONTAINERS, loads
from chassis.upstream.wire import WIRE_ERRORS, Wire

MAX_MODELS, MAX_NAME, MAX_DETAIL = 200, 200, 200
MAX_BYTES = 1_000_000  # of the list


def list_models(wire: Wire, seconds: float) -> tuple[list[str], str]:
    """Return the names of an API's models, at most 200, and what is wrong, or "" if the check was good."""
    limits = WireLimits(seconds, seconds, lambda: False)
    try:
        answer = wire.ask("GET", "/models", {"Accept": "application/json"}, b"", limits)
        body = answer.read(MAX_BYTES)
    except WIRE_ERRORS as error:
        return [], excerpt(str(error) or type(error).__name__, MAX_DETAIL)
    if answer.status != 200:
        return [], f"it answered {answer.status}"
    try:
        return _names(loads(body, MAX_CONTAINERS))[:MAX_MODELS], ""
    except (ValueError, LookupError, TypeError):
        return [], "its list of models cannot be read"


def _names(found: Any) -> list[str]:
    """Return the names that can be stored; raise LookupError or TypeError when there is no list of models."""
    if not isinstance(listed := found["data"], list):
        raise TypeError
    return [name for one in listed if _is_good(name := one["id"])]


def _is_good(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME and storable(name) == name
