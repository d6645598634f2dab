"""Checks that a library has what a patch needs; if it does not, logs one warning that says what is lost."""

import inspect
import logging
import pkgutil
from functools import cache
from typing import Any

log = logging.getLogger(__name__)
TESTED = {
    "eventlet": "0.41.3",
    "flask": "3.1.3",
    "flask-socketio": "5.7.0",
    "gunicorn": "27.0.1",
    "opentelemetry-sdk": "1.45.2",
    "prometheus-client": "0.26.0",
    "python-engineio": "4.15.1",
    "python-socketio": "5.18.1",
    "werkzeug": "3.1.9",
}


@cache
def fits(library: str, loss: str, *needed: str) -> bool:
    """Return whether a library has all that a patch needs; if not, log once what is lost.

    `needed` are written as "package.module:name.attribute", for a function also with its parameters:
    "flask_socketio:SocketIO.on(self, message, namespace)".
    """
    missing = tuple(name for name in needed if not _is_there(name))
    return not missing or warn(library, loss, missing)


def object_fits(library: str, loss: str, thing: Any, *needed: str) -> bool:
    """Return whether an object of a library has the attributes that a patch needs; if not, warn as `fits` does."""
    missing = tuple(f"{type(thing).__name__}.{name}" for name in needed if not hasattr(thing, name))
    return not missing or warn(library, loss, missing)


def _is_there(needed: str) -> bool:
    name, _, parameters = needed.partition("(")
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return not parameters or [*inspect.signature(found).parameters] == parameters.rstrip(")").split(", ")


@cache
def warn(library: str, loss: str, missing: tuple[str, ...]) -> bool:
    """Log that a library has changed and what is lost; return False, which means that it does not fit."""
    from importlib import metadata

    text = "%s %s does not fit a patch that was tested with %s: %s is not as expected. %s"
    log.warning(text, library, metadata.version(library), TESTED[library], ", ".join(missing), loss)
    return False
