"""The URL of a snapshot and its checksum: http(s), file or S3, shown in messages without its secrets."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests

from chassis.db import s3
from chassis.db.snapshot.download import CHUNK_BYTES, HttpDownload, Sink, SourceMissing
from chassis.errors import BootError

SIDECAR_MAX_BYTES = 65_536
SHA256 = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
INVALID = "is not a valid http(s), s3 or file URL: correct it, and write special characters as %xx."


@dataclass(frozen=True)
class Source:
    """A URL to read; `shown` is the same without user info and query, for messages and logs."""

    url: str = field(repr=False)
    shown: str

    @property
    def file(self) -> Path | None:
        """The local file that the URL names, or None."""
        parts = urlsplit(self.url)
        return Path(url2pathname(parts.path)) if parts.scheme == "file" else None

    @property
    def sidecar(self) -> "Source":
        """The location of the checksum: `.sha256` appended to the path, the query unchanged."""
        parts = urlsplit(self.url)
        return Source(parts._replace(path=f"{parts.path}.sha256").geturl(), f"{self.shown}.sha256")

    def read_into(self, sink: Sink, timeout_seconds: float, report: Callable[[str], None]) -> None:
        """Write every byte of the file at the URL to `sink`; raise SourceMissing if it does not exist."""
        if self.file:
            _copy(self.file, self.shown, sink)
        else:
            url = s3.signed_url(self.url) if self.url.startswith("s3://") else self.url
            HttpDownload(url, self.shown, sink, timeout_seconds, report).run()


def parse_source(url: str, setting: str = "DATABASE_SNAPSHOT_URL") -> Source:
    """Return the source that `url` names; raise BootError with the setting's name, without repeating the URL."""
    try:
        parts = urlsplit(url)._replace(fragment="")
        valid = parts.scheme in ("http", "https", "file", "s3") and parts.port != 0
        if parts.scheme == "file":
            valid = parts.netloc in ("", "localhost") and bool(parts.path)
        elif parts.scheme == "s3":
            valid = bool(parts.netloc and parts.path.strip("/")) and "@" not in parts.netloc and not parts.query
        else:
            requests.Request("GET", parts.geturl()).prepare()
    except (ValueError, requests.RequestException):
        valid = False
    if not valid:
        raise BootError(f"{setting} {INVALID}")
    # A slash in a password moves its "@" into the path, so everything before the last "@" is hidden.
    place = f"{parts.netloc}{parts.path}".rpartition("@")[2]
    return Source(parts.geturl(), f"{parts.scheme}://{place}")


def expected_checksum(source: Source, timeout_seconds: float, report: Callable[[str], None]) -> str:
    """Return the SHA-256 from the file beside the snapshot."""
    text = _SmallText(source.sidecar.shown)
    try:
        source.sidecar.read_into(text, timeout_seconds, report)
    except SourceMissing:
        raise BootError(
            f"There is no checksum for the snapshot: set DATABASE_SNAPSHOT_SHA256, or put {source.sidecar.shown} "
            "beside it (the output of sha256sum)."
        ) from None
    found = SHA256.search(text.content.lower())
    if not found or text.content.lstrip().startswith(b"<"):
        raise BootError(
            f"{source.sidecar.shown} contains no SHA-256: write the output of sha256sum to it, "
            "or set DATABASE_SNAPSHOT_SHA256."
        )
    return found.group().decode()


class _SmallText:
    """Reads a short file into memory."""

    def __init__(self, shown: str) -> None:
        self.shown, self.content = shown, b""

    def start(self, total: int | None) -> None:
        self.content = b""

    def write(self, chunk: bytes) -> None:
        self.content += chunk
        if len(self.content) > SIDECAR_MAX_BYTES:
            raise BootError(f"{self.shown} is too large for a checksum: set DATABASE_SNAPSHOT_SHA256 instead.")


def _copy(path: Path, shown: str, sink: Sink) -> None:
    try:
        file = path.open("rb")
    except OSError as error:
        sentence = f"{shown} cannot be read ({error.strerror}): correct DATABASE_SNAPSHOT_URL."
        raise (SourceMissing if isinstance(error, FileNotFoundError) else BootError)(sentence) from None
    with file:
        sink.start(path.stat().st_size)
        while chunk := file.read(CHUNK_BYTES):
            sink.write(chunk)
