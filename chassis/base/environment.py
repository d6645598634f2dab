"""Reads settings from .env, .env.local, the environment, and a file for any of them (`NAME_FILE`)."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

BASE_DIR = Path(__file__).resolve().parents[2]
"""The folder of the project (a `Path`), which holds `app` and `chassis`."""
EPHEMERAL_SECRET_KEY = "_EPHEMERAL_SECRET_KEY"  # noqa: S105 - a name
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name
OF_WORKERS = (METRICS_FOLDER, "_WORKERS_FOLDER", "_WORKER_NUMBER")


def read_environment(names: Iterable[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the values of those `names` that are set anywhere, and the problems as (name, sentence).

    Later layers have precedence: `.env`, `.env.local`, the process environment. With APP_ENV=test the files are not
    read, so that a developer's own keys never reach the tests.
    """
    wanted, values = list(names), dict[str, str]()
    problems: list[tuple[str, str]] = []
    for _, layer in _layers(problems, wanted):
        found, wrong = _resolve(layer, wanted)
        values.update(found)
        problems += wrong
    return values, problems


def sources(names: Iterable[str]) -> dict[str, str]:
    """Return the source of the value of each of `names` that is set, such as `.env` or `environment`."""
    wanted, found = list(names), dict[str, str]()
    for label, layer in _layers([], wanted):
        for name in wanted:
            if layer.get(f"{name}_FILE"):
                found[name] = f"{name}_FILE in {label}"
            elif layer.get(name) is not None:
                found[name] = label
    return found


def variables() -> dict[str, str]:
    """Return every variable that is set anywhere, also those that are not settings; later layers have precedence."""
    return {name: value for _, layer in _layers([], []) for name, value in layer.items() if value}


def _layers(problems: list[tuple[str, str]], names: list[str]) -> list[tuple[str, Mapping[str, str | None]]]:
    process = ("environment", _process())
    if process[1].get("APP_ENV") == "test":
        return [process]
    return [*((name, _file(name, problems, names)) for name in (".env", ".env.local")), process]


def is_command() -> bool:
    """Return whether this process is the `flask` command rather than a server."""
    return "FLASK_RUN_FROM_CLI" in os.environ


def _process() -> Mapping[str, str | None]:
    """Return the process environment without the variables that the flask command itself has loaded from .env."""
    if not is_command():
        return os.environ
    put = [_file(".env", [], []), _as_flask_reads(".env")]
    return {name: value for name, value in os.environ.items() if all(read.get(name) != value for read in put)}


def _as_flask_reads(name: str) -> Mapping[str, str | None]:
    """Return a file's values as flask reads them, replacing `${NAME}`; {} if it cannot be read."""
    try:
        return dotenv_values(BASE_DIR / name)
    except (OSError, UnicodeDecodeError):
        return {}


def _file(name: str, problems: list[tuple[str, str]], names: list[str]) -> Mapping[str, str | None]:
    """Return a file's values as written, without replacing `${NAME}`, like systemd and docker.

    A line that cannot be parsed is a problem, identified by its number and, if it sets one of `names`, by the setting;
    the rest of the line may be a secret.
    """
    values: dict[str, str | None] = {}
    try:
        with (BASE_DIR / name).open(encoding="utf-8") as file:
            for line in parse_stream(file):
                if line.error or (line.key and line.value is None):
                    problems.append(_of_line(line.original.string, line.original.line, name, names))
                elif line.key:
                    values[line.key] = line.value
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        problems.append((name, _unreadable(error)))
    return values


def _of_line(text: str, number: int, file: str, names: list[str]) -> tuple[str, str]:
    """Return the problem of a line; the parser counts the blank lines before it as a part of it."""
    plain = text.lstrip()
    number += text[: len(text) - len(plain)].count("\n")
    named = plain.removeprefix("export ").partition("=")[0].strip().removesuffix("_FILE")
    what = "write NAME=value, and close every quote" if "=" in plain else "it has no `=`"
    return (named if named in names else file), f"cannot be read on line {number} of {file}: {what}"


def _unreadable(error: OSError | ValueError) -> str:
    """Return why a file cannot be read; a path with a null byte, possible in a .env file, raises ValueError."""
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
    """Return the environment for a command that a worker starts, which must not count as a worker."""
    return {name: value for name, value in os.environ.items() if name not in OF_WORKERS}


def inherited_secret_key() -> str | None:
    """Return the key that the master process made for this start, or None."""
    return os.environ.get(EPHEMERAL_SECRET_KEY)


def multiprocess_metrics() -> str:
    """Return the folder where several workers share metrics, or ""; prometheus_client reads the same variable."""
    return os.environ.get(METRICS_FOLDER, "")


def workers_folder() -> str:
    """Return the folder in which several workers meet, or "" with a single one and in other processes."""
    return os.environ.get("_WORKERS_FOLDER", "")


def worker_number() -> int:
    """Return this worker's number among several, from 1, or 0 for a single one and in other processes."""
    return int(os.environ.get("_WORKER_NUMBER", "0"))


def pass_to_children(name: str, value: str) -> None:
    """Set `name` in the environment that every child process inherits."""
    os.environ[name] = value
