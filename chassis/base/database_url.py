"""Parses DATABASE_URL in one place: settings store it in normal form, and all other code asks here for its parts.

The part after `?` does not belong to a file's name. SQLAlchemy has several names for each dialect; two are used here.
"""

from urllib.parse import parse_qsl, urlsplit

SQLITE, POSTGRES = "sqlite:///", "postgresql+psycopg://"
NAMES = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
MAX_BUSY_SECONDS = 300.0
EXAMPLE = "postgresql+psycopg://user:password@host:5432/name"  # pragma: allowlist secret


def normal(url: str) -> str:
    """Return the URL with the name of the used driver; other URLs are unchanged."""
    name, colon, rest = url.strip().partition(":")
    return f"{NAMES.get(name.lower(), name)}{colon}{rest}"


def file_of(url: str) -> str | None:
    """Return the path of a SQLite file as written in the URL, or None for another database."""
    return url.removeprefix(SQLITE).partition("?")[0] if url.startswith(SQLITE) else None


def busy_seconds(url: str) -> float | None:
    """Return how long a writer waits for others according to a SQLite URL's `timeout`, or None without one."""
    given = dict(parse_qsl(url.partition("?")[2])).get("timeout")
    return float(given) if given is not None and url.startswith(SQLITE) else None


def problem(url: str) -> str | None:
    """Return the problem of a URL in normal form, as the end of a sentence about DATABASE_URL, or None."""
    path = file_of(url)
    if path is not None:
        return _problem_of_file(path, url.partition("?")[2])
    if not url.startswith(POSTGRES):
        return "must start with sqlite:/// or postgresql+psycopg:// (postgresql:// also works)"
    return None if _has_good_port(url) else f"must look like {EXAMPLE}"


def _problem_of_file(path: str, query: str) -> str | None:
    if path.strip("/.") in ("", ":memory:") or path.startswith("file:"):
        return "must name a file, such as sqlite:///data/app.db, because processes share it"
    options = parse_qsl(query, keep_blank_values=True)
    if query and [name for name, _ in options] != ["timeout"]:
        return "may have only the option `?timeout=SECONDS` after the name of a SQLite file"
    return None if all(_is_wait(value) for _, value in options) else "must have a timeout from 0 to 300 seconds"


def _is_wait(text: str) -> bool:
    try:
        return 0 <= float(text) <= MAX_BUSY_SECONDS
    except ValueError:
        return False


def _has_good_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False
