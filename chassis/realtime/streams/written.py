"""A stream whose text is stored while it comes, so that it outlives its viewers and its process."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Table
from sqlalchemy.exc import SQLAlchemyError

from chassis.errors import AppError
from chassis.realtime.streams.run import BY_VIEWER, FAULT, End, Source, Stopped

STREAMING, DONE, STOPPED, CUT, FAILED, INTERRUPTED = "streaming", "done", "stopped", "cut", "failed", "interrupted"
STORE_SECONDS = 2.0  # between two times that a growing text is stored
LEASE_SECONDS = 15.0  # after which a text whose process has died is shown as interrupted
LOST = "The answer was interrupted before its end: try again."
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What is stored of a stream: columns of a row, of which `until` is a float, and all but `error` have a value.

    The `status` is streaming, done, stopped, cut (a part came, and the end never did) or failed. A row that is
    streaming and not stored again `until` then, in seconds since 1970, has lost its process; `shown` calls it
    interrupted.
    """

    text: str = ""
    status: str = STREAMING
    error: str | None = None
    until: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the columns."""
        return asdict(self)

    @classmethod
    def begun(cls) -> "Written":
        """Return what to store before the stream starts."""
        return cls(until=time.time() + LEASE_SECONDS)

    def store(self, conn: Connection, table: Table, key: str) -> bool:
        """Store the columns in the row with this `id`; return False if it is gone, or its text has ended."""
        row = (table.c.id == key, table.c.status == STREAMING)
        return conn.execute(table.update().where(*row).values(**self.as_dict())).rowcount == 1

    @property
    def ended(self) -> bool:
        """Return whether nothing more will come."""
        return self.status != STREAMING

    @staticmethod
    def runs(row: Mapping[Any, Any]) -> bool:
        """Return whether a stored stream is still written, by a process that lives."""
        return bool(row["status"] == STREAMING and row["until"] >= time.time())

    @staticmethod
    def shown(row: Mapping[Any, Any]) -> dict[str, Any]:
        """Return `text`, `status` and `error` of a stored stream; one that lost its process is interrupted."""
        if row["status"] == STREAMING and not Written.runs(row):
            return {"text": row["text"], "status": INTERRUPTED, "error": LOST}
        return {name: row[name] for name in ("text", "status", "error")}


class Writing:
    """A source, for `stream` or `sse`, that passes on the texts of another one and stores them every two seconds.

    `store(written)` stores what is there by `Written.store`, and returns its answer: False stops the source, since the
    text is no longer wanted. The end is stored before the clients are told of it; an error of the database before that
    is waited out.
    """

    def __init__(self, source: Source, store: Callable[[Written], bool]) -> None:
        self._source, self._store = source, store
        self._texts: list[str] = []
        self._stored_at = time.monotonic()
        self._unwanted = False
        self._stop = BY_VIEWER

    def __call__(self, stopped: Stopped) -> Iterator[str]:
        """Yield the texts; the row says how they ended before the stream does."""

        def ended() -> bool:
            return self._ended(stopped)

        status, error = STOPPED, None
        try:
            for text in self._source(ended):
                self._texts.append(text)
                yield text
                if ended():
                    return
            status = DONE
        except Exception as raised:
            if self._unwanted or stopped():
                return
            status = CUT if any(self._texts) else FAILED
            error = raised.message if isinstance(raised, AppError) else FAULT.message
            raise
        finally:
            if status == STOPPED:
                status, error = self._stopped_as(self._stop)
            self._store(Written("".join(self._texts), status, error))

    def stopping(self, end: End) -> None:
        """Take how the stream will end before `stopped()` turns true: by a viewer, without one, or with the process."""
        self._stop = end

    def unread(self, end: End) -> None:
        """Store that nothing was written: there was no place for the stream, or its client had left."""
        self._store(Written("", *self._stopped_as(end)))

    def _stopped_as(self, end: End) -> tuple[str, str | None]:
        """Return the status and the error of a stream that was stopped."""
        broken = CUT if any(self._texts) else FAILED
        return broken if end.outcome == "failed" else STOPPED, end.message or None

    def _ended(self, stopped: Stopped) -> bool:
        """Return whether to stop; renew the lease and store the text so far from time to time."""
        if time.monotonic() - self._stored_at > STORE_SECONDS:
            self._stored_at = time.monotonic()
            try:
                self._unwanted = not self._store(Written("".join(self._texts), until=time.time() + LEASE_SECONDS))
            except SQLAlchemyError:
                log.warning("text_not_stored_yet")
        return self._unwanted or stopped()
