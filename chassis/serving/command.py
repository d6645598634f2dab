"""`run_web.py`: serves the application as options and environment say, and controls it in the background."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from chassis import features
from chassis.base.environment import BASE_DIR
from chassis.errors import AppError, SettingsError
from chassis.server.control import ControlError, PidFile, answers, start
from chassis.server.told import unreadable

PID_FILE, LOG_FILE = BASE_DIR / "data/web.pid", BASE_DIR / "data/web.log"
NOT_RUNNING = 3  # as in init scripts
STOP_MARGIN_SECONDS = 15


def main() -> None:
    """Run the command line's command; report errors in one sentence with an exit status."""
    arguments = parse()
    os.environ.update(environment(arguments))
    try:
        sys.exit(COMMANDS[arguments.command](arguments))
    except (ControlError, AppError) as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description="Serve the application with gunicorn. Settings are environment variables, see "
        "docs/configuration.md; a first run needs none. Options override the environment.",
        epilog="Exit status: 78 for wrong settings, 3 from `status` when the server is not running, 1 for other "
        "failures.",
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, default="start", help="start is the default")
    parser.add_argument("--bind", metavar="HOST:PORT", type=address, help="where to listen (HOST, PORT)")
    parser.add_argument("--workers", metavar="N", help="worker processes, or auto (GUNICORN_WORKERS)")
    parser.add_argument(
        "--log-level", metavar="LEVEL", type=str.upper, help="DEBUG, INFO, WARNING or ERROR (LOG_LEVEL)"
    )
    parser.add_argument("--daemon", action="store_true", help=f"serve in the background, log to {_short(LOG_FILE)}")
    parser.add_argument("--pid", metavar="FILE", type=Path, help=f"the pid file, with --daemon {_short(PID_FILE)}")
    parser.add_argument(
        "--dev",
        action="store_true",
        help="restart when code changes, show mistakes in pages, e-mail in the terminal",
    )
    parser.add_argument("--check", action="store_true", help="check settings, imports and migrations, and exit")
    return parser.parse_args()


def address(given: str) -> dict[str, str]:
    """Return HOST and PORT of `127.0.0.1:8000`, `[::1]:8000`, `:8000` (all addresses) or `8000`."""
    host, colon, port = given.rpartition(":")
    if not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{given!r} is not HOST:PORT")
    everywhere = {"HOST": "0.0.0.0"} if colon else {}  # noqa: S104
    return {"PORT": port} | ({"HOST": host.strip("[]")} if host else everywhere)


def environment(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the environment variables that the options stand for."""
    found = dict(arguments.bind or {})
    if arguments.workers is not None:
        found["GUNICORN_WORKERS"] = arguments.workers
    if arguments.log_level:
        found["LOG_LEVEL"] = arguments.log_level
    if arguments.dev:
        found |= {"DEBUG_PAGES": "true"}
    return found


def serve(arguments: argparse.Namespace) -> int:
    """Check the configuration, or serve in the background or in the foreground."""
    if problems := unreadable(os.environ):
        raise SettingsError(problems)
    if arguments.check:
        return check()
    if arguments.dev:
        return develop(arguments)
    return serve_in_background(arguments) if arguments.daemon else serve_here(arguments)


def develop(arguments: argparse.Namespace) -> int:
    """Serve in the foreground for development."""
    if arguments.daemon:
        raise ControlError("--dev serves in the foreground: leave out --daemon.")
    from chassis.serving import dev

    os.chdir(BASE_DIR)
    return dev.run()


def serve_here(arguments: argparse.Namespace) -> NoReturn:
    """Replace this process by gunicorn, so that it receives signals."""
    if arguments.pid:
        PidFile(arguments.pid.resolve()).take()
    os.chdir(BASE_DIR)
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"])  # noqa: S606


def serve_in_background(arguments: argparse.Namespace) -> int:
    """Start a process that outlives this terminal, and wait until it serves."""
    pid_file = PidFile(_pid_file(arguments))
    if (running := pid_file.pid()) is not None:
        raise ControlError(f"The server is already running, with pid {running}: use `run_web.py reload` or `stop`.")
    where = _address()
    print(f"Starting on http://{where[0]}:{where[1]}, log in {_short(LOG_FILE)} ...", flush=True)  # noqa: T201
    pid = start([sys.executable, str(BASE_DIR / "run_web.py"), "--pid", str(pid_file.path)], LOG_FILE, where)
    print(f"Serving, pid {pid}. To stop it: python run_web.py stop")  # noqa: T201
    return 0


def stop(arguments: argparse.Namespace) -> int:
    """Stop the server of the pid file gracefully."""
    settings = features.load()
    seconds = settings.gunicorn_graceful_timeout_seconds + settings.drain_delay_seconds + STOP_MARGIN_SECONDS
    print("Stopping ...", flush=True)  # noqa: T201
    print(f"Stopped, pid was {PidFile(_pid_file(arguments)).stop(seconds)}.")  # noqa: T201
    return 0


def reload(arguments: argparse.Namespace) -> int:
    """Check, then replace the workers by new ones with the present code and settings."""
    pid_file = PidFile(_pid_file(arguments))
    pid_file.running()
    if status := check():
        return status
    print(f"New workers take over; the pid stays {pid_file.reload()}.")  # noqa: T201
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Report whether the server of the pid file runs and is ready."""
    pid = PidFile(_pid_file(arguments)).pid()
    if pid is None:
        print("Not running.")  # noqa: T201
        return NOT_RUNNING
    where = _address()
    ready = "ready" if answers(where, "/readyz") else "NOT ready (or listening elsewhere: give --bind)"
    print(f"Running, pid {pid}, http://{where[0]}:{where[1]}: {ready}.")  # noqa: T201
    return 0


def check() -> int:
    """Report in a sentence why a start would fail; return a status: 78 for the settings, 1 for other failures."""
    os.chdir(BASE_DIR)
    try:
        from chassis import boot
        from chassis.service import create_app

        boot.check(create_app)
    except AppError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return error.exit_status
    print("The settings are valid and the application imports.")  # noqa: T201
    return 0


def _address() -> tuple[str, int]:
    """Return the address at which a client on this machine reaches the server."""
    settings = features.load()
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host), settings.port  # noqa: S104


def _pid_file(arguments: argparse.Namespace) -> Path:
    return (arguments.pid or PID_FILE).resolve()


def _short(path: Path) -> str:
    return str(path.relative_to(BASE_DIR))


COMMANDS = {"start": serve, "stop": stop, "reload": reload, "status": status}
