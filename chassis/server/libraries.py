"""Tries the variables that eventlet and gevent read themselves, whose mistakes would end in a worker's traceback."""

import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import NamedTuple


class Trial(NamedTuple):
    """The beginnings of a library's variables, and a program that reads them all as a worker does."""

    prefixes: tuple[str, ...]
    program: str


TRIALS = {
    "eventlet": Trial(
        ("EVENTLET_",),
        "from eventlet import hubs, tpool; from eventlet.green import socket; hubs.get_hub()",
    ),
    "gevent": Trial(
        ("GEVENT",),
        "from gevent import config, fileobject, get_hub; [getattr(config, name) for name in dir(config)];"
        " hub = get_hub(); hub.loop, hub.resolver, hub.threadpool",
    ),
}
TOLD = """
import sys
try:
    {}
except BaseException as error:
    sys.exit(" ".join(str(error).split()) or type(error).__name__)
"""
MOST_CHARACTERS = 200


def unreadable(mode: str, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables with which the library of a mode does not start, with its reason.

    It is tried in a process of its own, since the master must not import it; only when such a variable is set.
    """
    trial = TRIALS.get(mode)
    names = [name for name in environ if trial and name.startswith(trial.prefixes)]
    if trial is None or not names or find_spec(mode) is None:
        return []
    others = {name: value for name, value in environ.items() if name not in names}
    if (together := _reason(trial, environ)) is None:
        return []
    alone = {name: _reason(trial, {**others, name: environ[name]}) for name in names}
    wrong = {name: reason for name, reason in alone.items() if reason} or dict.fromkeys(names, together)
    return [(name, f"is nothing that {mode} can use: {reason}") for name, reason in wrong.items()]


def _reason(trial: Trial, environ: Mapping[str, str]) -> str | None:
    """Return the library's first sentence about its variables, or None when it starts with them."""
    command = [sys.executable, "-c", TOLD.format(trial.program)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0:
        return None
    said = [line for line in done.stderr.strip().splitlines() if line]
    return said[-1][:MOST_CHARACTERS].rstrip(".") if said else f"it ends with status {done.returncode}"
