"""Turns gunicorn's own options into settings, so that the rules check what the server really gets.

In gunicorn the command line has precedence over GUNICORN_CMD_ARGS, and both have precedence over gunicorn_config.py;
WEB_CONCURRENCY is the default number of workers.
"""

import os
import re
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from chassis.server.patches import for_gunicorn

COMMAND_LINE, CMD_ARGS, CONCURRENCY = "the command line", "GUNICORN_CMD_ARGS", "WEB_CONCURRENCY"
# What libraries read with int() before our file is, or in the middle of a start; they report a mistake by a traceback.
READ_BY_LIBRARIES = (CONCURRENCY, "EVENTLET_THREADPOOL_SIZE", "GUNICORN_PID", "LISTEN_FDS", "LISTEN_PID")
METRICS_FOLDERS = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")
OURS = {
    "eventlet": "chassis.server.worker.EventletWorker",
    "gevent": "chassis.server.worker.GeventWorker",
    "gthread": "chassis.server.threads.ThreadedWorker",
}
MODES = {"eventlet": "eventlet", "gevent": "gevent", "gthread": "threading"}
MODES |= {OURS[name]: mode for name, mode in MODES.items()}
SETTINGS = {
    "workers": "GUNICORN_WORKERS",
    "worker_class": "ASYNC_MODE",
    "worker_connections": "GUNICORN_WORKER_CONNECTIONS",
    "max_requests": "GUNICORN_MAX_REQUESTS",
}
WITHOUT_CONFIG = "gunicorn was started without its configuration: use `gunicorn -c gunicorn_config.py wsgi:app`."
INSTEAD = "unset it, and set GUNICORN_WORKERS"
NUMBER = re.compile(r"\s*[0-9]{1,9}\s*")
APP_LOAD_ERROR = 4  # gunicorn's master exits with it too, instead of restarting the worker


def take_over(is_set: Callable[[str], bool], put: Callable[[str, str], None]) -> dict[str, str]:
    """Put gunicorn's options into our settings; return the source of each, by the name of the setting.

    `is_set` returns whether a setting is set anywhere. Also makes `--worker-class` select our workers.
    """
    for name, path in OURS.items():
        for_gunicorn.name_worker(name, path)
    found = told(sys.argv, os.environ)
    number, workers = os.environ.get(CONCURRENCY), SETTINGS["workers"]
    if number and workers not in found and not is_set(workers):
        found[workers] = (number, CONCURRENCY)
    for name, (value, _) in found.items():
        os.environ.pop(f"{name}_FILE", None)
        put(name, value)
    return {name: source for name, (_, source) in found.items()}


def unreadable(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables that a library could not use, with the reason: no number, no folder, an open quote."""
    problems = [
        (name, f"must be a whole number, not {environ[name]!r}" + (f"; {INSTEAD}" if name == CONCURRENCY else ""))
        for name in READ_BY_LIBRARIES
        if name in environ and not NUMBER.fullmatch(environ[name])
    ]
    problems += [
        (name, "is not a folder that can be written to: unset it, the service sets it itself")
        for name in METRICS_FOLDERS
        if name in environ and not os.access(environ[name], os.W_OK | os.X_OK)
    ]
    try:
        shlex.split(environ.get(CMD_ARGS, ""))
    except ValueError as error:
        problems.append((CMD_ARGS, f"cannot be split into options: {str(error)[0].lower()}{str(error)[1:]}"))
    return problems


def told(argv: list[str], environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return {setting: (value, source)} of gunicorn's command line and of GUNICORN_CMD_ARGS."""
    if not is_gunicorn(argv):
        return {}
    found = {}
    for source, words in ((CMD_ARGS, shlex.split(environ.get(CMD_ARGS, ""))), (COMMAND_LINE, argv[1:])):
        options = _parsed(words)
        for option, name in SETTINGS.items():
            if (value := getattr(options, option)) is not None:
                found[name] = (MODES.get(value, str(value)) if option == "worker_class" else str(value), source)
    return found


def is_gunicorn(argv: list[str]) -> bool:
    """Return whether this process is gunicorn, as a script or as `python -m gunicorn`."""
    path = Path(argv[0] if argv else "")
    return path.name == "gunicorn" or path.parts[-2:] == ("gunicorn", "__main__.py")


def refuse_without_config() -> None:
    """Exit with one sentence, and stop gunicorn's start, if gunicorn did not read gunicorn_config.py."""
    read = [getattr(sys.modules.get(name), "__file__", None) for name in ("__config__", "gunicorn_config")]
    if is_gunicorn(sys.argv) and "gunicorn_config.py" not in [Path(path).name for path in read if path]:
        print(WITHOUT_CONFIG, file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(APP_LOAD_ERROR)


def _parsed(words: list[str]) -> Namespace:
    from gunicorn.config import Config

    options: Namespace = Config().parser().parse_known_args(words)[0]
    return options
