"""Takes the files that a camera, a scanner or another program stores in a folder: each once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from werkzeug.datastructures import FileStorage

from chassis.base.concurrency import run_in_thread
from chassis.base.texts import storable
from chassis.errors import AppError, PayloadTooLarge, UnsupportedMediaType
from chassis.files.receiving import arriving
from chassis.jobs import JobContext

WATCH_SECONDS = 58.0  # by a job that is started each minute
LOOK_SECONDS = 1.0
SETTLED_SECONDS = 1.0  # a file that changed more recently may still be written
AT_ONCE = 100  # files that are taken in one look
PIECE_BYTES = 65_536
REFUSED = "refused"


@dataclass(frozen=True)
class Inbox:
    """A folder; `take(file, origin)` stores a file, `known(origin)` returns whether one was stored before.

    `origin` is the name, time and size, by which a file is known again if the process died before it was deleted.
    Store it with your rows, in a unique column and in the transaction of the file's row (see `keeping`).
    """

    folder: Path
    take: Callable[[FileStorage, str], object]
    known: Callable[[str], bool]

    def watch(self, context: JobContext) -> None:
        """Look into the folder each second for a minute, in a job with `schedule="* * * * *"` and `missed="skip"`."""
        until, taken = time.monotonic() + WATCH_SECONDS, 0
        while time.monotonic() < until:
            try:
                taken += self.look(context)
            except (AppError, OSError) as error:  # such as a full disk, or a share that is away: the files stay there
                context.log.warning("inbox_waits", reason=storable(str(error)))
            context.progress(taken, taken, f"{taken} files")
            context.wait(LOOK_SECONDS)

    def look(self, context: JobContext) -> int:
        """Take the files that are complete, the oldest first; return how many.

        Files that are refused (413, 415) move to the folder `refused`. Those that cannot be read or deleted do not hold
        up the others.
        """
        taken = 0
        for origin, path in run_in_thread(self._settled):
            context.check()
            try:
                taken += self._take(context, origin, path)
            except OSError as error:
                context.log.warning("inbox_file_waits", name=storable(path.name), reason=storable(str(error)))
        return taken

    def _settled(self) -> list[tuple[str, Path]]:
        paths = [path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        found = [(path.stat(), path) for path in paths]
        found = [one for one in found if time.time() - one[0].st_mtime >= SETTLED_SECONDS]
        found.sort(key=lambda one: (one[0].st_mtime_ns, one[1].name))
        return [(f"{storable(p.name)}:{state.st_mtime_ns}:{state.st_size}", p) for state, p in found[:AT_ONCE]]

    def _take(self, context: JobContext, origin: str, path: Path) -> bool:
        """Return whether the file was stored now."""
        new = not self.known(origin)
        try:
            if new:
                with arriving([(storable(path.name), _pieces(path))]) as (file,):
                    self.take(file, origin)
        except (UnsupportedMediaType, PayloadTooLarge) as error:
            context.log.warning("inbox_file_refused", name=storable(path.name), reason=error.message)
            (path.parent / REFUSED).mkdir(exist_ok=True)
            path.replace(path.parent / REFUSED / path.name)
            return False
        path.unlink(missing_ok=True)
        return new


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
