"""What gunicorn is told beside our settings becomes one of them, so that the rules see what the server really gets.

gunicorn lets its command line count before GUNICORN_CMD_ARGS, and both before gunicorn_config.py; WEB_CONCURRENCY is
the number of workers where nothing else says one.
"""

import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from chassis.server.patches import for_gunicorn

COMMAND_LINE, CMD_ARGS, CONCURRENCY = "the command line", "GUNICORN_CMD_ARGS", "WEB_CONCURRENCY"
OURS = "chassis.server.worker.EventletWorker"
MODES = {"eventlet": "eventlet", OURS: "eventlet", "gevent": "gevent", "gthread": "threading"}
SETTINGS = {
    "workers": "GUNICORN_WORKERS",
    "worker_class": "ASYNC_MODE",
    "worker_connections": "GUNICORN_WORKER_CONNECTIONS",
    "max_requests": "GUNICORN_MAX_REQUESTS",
}
WITHOUT_CONFIG = "gunicorn was started without its configuration: use `gunicorn -c gunicorn_config.py wsgi:app`."
APP_LOAD_ERROR = 4  # with which gunicorn's master ends too, rather than start the worker again


def take_over(is_set: Callable[[str], bool], put: Callable[[str, str], None]) -> dict[str, str]:
    """Put what gunicorn is told into our settings; return who told, by the name of the setting.

    `is_set` says whether a setting is set anywhere. Lets `--worker-class eventlet` mean our worker.
    """
    for_gunicorn.name_worker("eventlet", OURS)
    found = told(sys.argv, os.environ)
    number, workers = os.environ.get(CONCURRENCY), SETTINGS["workers"]
    if number and workers not in found and not is_set(workers):
        found[workers] = (number, CONCURRENCY)
    for name, (value, _) in found.items():
        os.environ.pop(f"{name}_FILE", None)
        put(name, value)
    return {name: source for name, (_, source) in found.items()}


def told(argv: list[str], environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return {setting: (value, who told)} of gunicorn's own command line and of GUNICORN_CMD_ARGS."""
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
    """Return whether this process is gunicorn, as a script or by `python -m gunicorn`."""
    path = Path(argv[0] if argv else "")
    return path.name == "gunicorn" or path.parts[-2:] == ("gunicorn", "__main__.py")


def refuse_without_config() -> None:
    """End a worker of a gunicorn that did not read gunicorn_config.py, and with it the start, with one sentence."""
    read = [getattr(sys.modules.get(name), "__file__", None) for name in ("__config__", "gunicorn_config")]
    if is_gunicorn(sys.argv) and "gunicorn_config.py" not in [Path(path).name for path in read if path]:
        print(WITHOUT_CONFIG, file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(APP_LOAD_ERROR)


def _parsed(words: list[str]) -> Namespace:
    from gunicorn.config import Config

    options: Namespace = Config().parser().parse_known_args(words)[0]
    return options
