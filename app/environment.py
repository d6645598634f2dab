"""Where settings come from: .env, .env.local, the environment, and a file for any of them (`NAME_FILE`)."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values

BASE_DIR = Path(__file__).resolve().parent.parent
EPHEMERAL_SECRET_KEY = "_EPHEMERAL_SECRET_KEY"  # noqa: S105 - a name


def read_environment(names: Iterable[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the value of each of `names` that is set anywhere, and the problems as (name, sentence).

    Later layers win: `.env`, `.env.local`, the process environment. With APP_ENV=test the files are not read, so that
    a developer's own keys never reach the tests.
    """
    wanted, values = list(names), dict[str, str]()
    problems: list[tuple[str, str]] = []
    for _, layer in _layers(problems):
        found, wrong = _resolve(layer, wanted)
        values.update(found)
        problems += wrong
    return values, problems


def sources(names: Iterable[str]) -> dict[str, str]:
    """Return where the value of each of `names` comes from that is set anywhere, such as `.env` or `environment`."""
    wanted, found = list(names), dict[str, str]()
    for label, layer in _layers([]):
        for name in wanted:
            if layer.get(f"{name}_FILE"):
                found[name] = f"{name}_FILE in {label}"
            elif layer.get(name) is not None:
                found[name] = label
    return found


def _layers(problems: list[tuple[str, str]]) -> list[tuple[str, Mapping[str, str | None]]]:
    process = ("environment", _process())
    if process[1].get("APP_ENV") == "test":
        return [process]
    return [*((name, _file(name, problems)) for name in (".env", ".env.local")), process]


def is_command() -> bool:
    """Return whether this process is the `flask` command, and not a server's."""
    return "FLASK_RUN_FROM_CLI" in os.environ


def _process() -> Mapping[str, str | None]:
    """Return the process environment, without what the flask command itself has put into it from .env."""
    if not is_command():
        return os.environ
    put = _file(".env", [])
    return {name: value for name, value in os.environ.items() if put.get(name) != value}


def _file(name: str, problems: list[tuple[str, str]]) -> Mapping[str, str | None]:
    try:
        return dotenv_values(BASE_DIR / name)
    except (OSError, UnicodeDecodeError) as error:
        problems.append((name, _unreadable(error)))
        return {}


def _unreadable(error: OSError | ValueError) -> str:
    """Return why a file cannot be read; a path with a null byte, which a .env file can hold, is a ValueError."""
    return f"cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}"


def _resolve(layer: Mapping[str, str | None], names: list[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    values: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    for name in names:
        plain, path = layer.get(name), layer.get(f"{name}_FILE")
        if plain and path:
            problems.append((name, f"is set twice: keep either {name} or {name}_FILE"))
        elif path:
            try:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                problems.append((f"{name}_FILE", _unreadable(error)))
        elif plain is not None:
            values[name] = plain.strip()
    return values, problems


def command_environment() -> dict[str, str]:
    """Return the environment for a command that a worker starts, which must not count among the workers."""
    return {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}


def inherited_secret_key() -> str | None:
    """Return the key that the master process made for this start, if it made one."""
    return os.environ.get(EPHEMERAL_SECRET_KEY)


def multiprocess_metrics() -> str:
    """Return the folder in which several workers count together, or ""; prometheus_client reads the same variable."""
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")


def pass_to_children(name: str, value: str) -> None:
    """Put `name` into the environment that every child process inherits."""
    os.environ[name] = value
