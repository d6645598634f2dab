"""Which files of the project have changed: by their times, since no package for it works everywhere."""

from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("app", "chassis")
FILES = (".env", ".env.local", "gunicorn_config.py", "wsgi.py")
ENDINGS = (".py", ".html", ".txt", ".css", ".js", ".svg")
LEFT_OUT = {"__pycache__", "tests"}


class Watch:
    """Remembers the times of the project's files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = self._times()

    def changed(self) -> list[Path]:
        """Return the files that were changed, made or removed since the last call."""
        before, self._seen = self._seen, self._times()
        return sorted(path for path in {*before, *self._seen} if before.get(path) != self._seen.get(path))

    def _times(self) -> dict[Path, int]:
        found = {}
        for path in self._files():
            try:
                found[path] = path.stat().st_mtime_ns
            except OSError:
                continue  # it has just been removed
        return found

    def _files(self) -> Iterator[Path]:
        yield from (self._root / name for name in FILES)
        for folder in FOLDERS:
            for path in (self._root / folder).rglob("*"):
                if path.suffix in ENDINGS and not LEFT_OUT.intersection(path.parts[len(self._root.parts) :]):
                    yield path
