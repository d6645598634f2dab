"""Receives the files of a form on disk, for views that are marked with `takes_files`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TypeVar, cast

from flask import current_app, request
from werkzeug.datastructures import FileStorage

from chassis.base.texts import excerpt
from chassis.errors import BadRequest
from chassis.files.incoming import Batch, Incoming
from chassis.files.places import folder_of
from chassis.security import bodies
from chassis.wiring import current_settings

F = TypeVar("F", bound=Callable[..., Any])
STREAMED = "takes_files"
FIELDS = 100
SHOWN_CHARACTERS = 50  # of a field's name


def takes_files(view: F) -> F:
    """Let a view take files to store, within MAX_FILE_SIZE, MAX_FILES_PER_BATCH and MAX_TOTAL_UPLOAD_SIZE.

    Goes below `@app.post` and the like. The files are on disk when the view runs; `keep` stores them, and the others
    are deleted at the end of the request.
    """
    setattr(view, STREAMED, True)
    limits = bodies.takes({bodies.FILES: "max_files_body"}, FIELDS, files="max_files_per_batch")
    return limits(view)


class Request(bodies.Request):
    """A request whose files go to disk as they arrive, where its view stores them."""

    batch: Batch | None = None

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        view = current_app.view_functions.get(self.endpoint or "")
        if not getattr(view, STREAMED, False):
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        if self.batch is None:
            settings = current_settings()
            self.batch = Batch(settings, folder_of(settings))
        return cast("IO[bytes]", self.batch.add())

    def close(self) -> None:
        """Delete the files that were not stored, also of a request that broke off."""
        super().close()
        if self.batch is not None:
            self.batch.drop()


def uploaded_files(name: str) -> list[FileStorage]:
    """Return the form's files of that name; raise BadRequest when there are none, or others that would be dropped."""
    given = [(field, file) for field, file in request.files.items(multi=True) if file.filename]
    if other := next((field for field, _ in given if field != name), None):
        raise BadRequest(f"{excerpt(other, SHOWN_CHARACTERS)} has a file: send all as {name}.", code="no_files")
    found = [file for _, file in given]
    if not found:
        raise BadRequest(f"Send a form with one or more files, as {name}.", code="no_files")
    return found


@contextmanager
def arriving(contents: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[list[FileStorage]]:
    """Write (name, pieces) that did not come by a form to disk within the same limits, and yield files for `keep`.

    What was not stored is deleted at the end. Raises PayloadTooLarge and StorageFull.
    """
    settings = current_settings()
    batch = Batch(settings, folder_of(settings))
    try:
        yield [_written(batch, name, pieces) for name, pieces in contents]
    finally:
        batch.drop()


def _written(batch: Batch, name: str, pieces: Iterable[bytes]) -> FileStorage:
    one = batch.add()
    for piece in pieces:
        one.write(piece)
    one.seek(0)
    return FileStorage(cast("IO[bytes]", one), name)


def incoming(file: FileStorage) -> Incoming:
    """Return a file that arrived on disk; raise TypeError in a view without `takes_files`."""
    if not isinstance(file.stream, Incoming):
        raise TypeError("mark the view with takes_files")
    return file.stream
