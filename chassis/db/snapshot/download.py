"""Downloads a file over http(s), resuming after broken connections."""

import logging
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import requests
from requests.exceptions import InvalidSchema, InvalidURL, TooManyRedirects
from urllib3.exceptions import HTTPError as BrokenStream

from chassis.errors import BootError

CHUNK_BYTES = 262_144
RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0
RETRIED_STATUSES = {408, 429}
MISSING_STATUSES = {403, 404, 410}  # S3 answers 403 for missing files
URL_LOGGERS = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")


class Sink(Protocol):
    """Takes the bytes in order; `start` starts over and discards earlier bytes."""

    def start(self, total: int | None) -> None: ...
    def write(self, chunk: bytes) -> None: ...


class SourceMissing(BootError):
    """The file at the URL does not exist or is not accessible."""


class HttpDownload:
    """One download from `url` to `sink`.

    The clock of `timeout_seconds` restarts with every byte beyond the furthest so far: a server that fails at the same
    place again and again is given up, a slow one is not.
    """

    def __init__(self, url: str, shown: str, sink: Sink, timeout_seconds: float, report: Callable[[str], None]) -> None:
        self._url, self._shown, self._sink, self._report = url, shown, sink, report
        self._timeout_seconds = timeout_seconds
        self._received = self._furthest = 0
        self._total: int | None = None
        self._validator = ""
        self._progress_at = time.monotonic()

    def run(self) -> None:
        """Return when every byte has arrived; raise BootError if that is impossible or takes too long."""
        failures = 0
        with _urls_unlogged(), requests.Session() as session:
            while True:
                before = self._furthest
                problem = self._attempt(session)
                if problem is None:
                    return
                if self._left() <= 0:
                    break
                failures = 1 if self._furthest > before else failures + 1
                self._pause(problem, failures)
        raise BootError(
            f"The snapshot at {self._shown} made no progress for {self._timeout_seconds:g} s ({problem}): "
            "check the server and the network, then start again."
        )

    def _pause(self, problem: str, failures: int) -> None:
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 10))
        self._report(f"snapshot: {problem} after {self._received / 1e6:.1f} MB, trying again")
        time.sleep(min(self._left(), random.uniform(longest / 2, longest)))

    def _left(self) -> float:
        return self._timeout_seconds - (time.monotonic() - self._progress_at)

    def _attempt(self, session: requests.Session) -> str | None:
        """Return None if the file is complete, otherwise the problem, in words without the URL."""
        # Half of the remaining time, so that a hanging connection is retried within it.
        wait = max(self._left() / 2, min(1.0, self._timeout_seconds / 4))
        try:
            with session.get(self._url, headers=self._headers(), stream=True, timeout=wait) as response:
                problem = self._begin(response) or self._stream(response)
        except (InvalidURL, InvalidSchema, TooManyRedirects):
            raise BootError(f"{self._shown} redirects without a location: correct DATABASE_SNAPSHOT_URL.") from None
        except (requests.RequestException, BrokenStream) as error:
            problem = self._words(error)
        return None if self._received and self._received == self._total else problem

    def _headers(self) -> dict[str, str]:
        # The checksum is that of the stored file, so the transfer must not be compressed.
        headers = {"Accept-Encoding": "identity"}
        if self._received:
            headers["Range"] = f"bytes={self._received}-"
            if self._validator:
                headers["If-Range"] = self._validator
        return headers

    def _begin(self, response: requests.Response) -> str | None:
        if response.status_code == 200:
            length = response.headers.get("Content-Length", "")
            self._restart(int(length) if length.isdecimal() else None)
            etag = response.headers.get("ETag", "")
            strong = "" if etag.startswith("W/") else etag
            self._validator = strong or response.headers.get("Last-Modified", "")
            return None
        if response.status_code == 206 and self._goes_on(response.headers.get("Content-Range", "")):
            return None
        if response.status_code in (206, 416):
            self._restart(None)
            return "the server did not resume the download"
        return self._refusal(response.status_code)

    def _restart(self, total: int | None) -> None:
        self._received, self._total = 0, total
        self._sink.start(total)

    def _goes_on(self, content_range: str) -> bool:
        found = RANGE.match(content_range)
        if not found or int(found[1]) != self._received or not self._received:
            return False
        return found[2] == "*" or self._total in (None, int(found[2]))

    def _refusal(self, status: int) -> str:
        if status in RETRIED_STATUSES or status >= 500:
            return f"the server answered {status}"
        sentence = f"{self._shown} answered {status}: check DATABASE_SNAPSHOT_URL and that its access has not expired."
        raise (SourceMissing if status in MISSING_STATUSES else BootError)(sentence)

    def _stream(self, response: requests.Response) -> str | None:
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
            self._received += len(chunk)
            self._sink.write(chunk)
            if self._received > self._furthest:
                self._furthest, self._progress_at = self._received, time.monotonic()
        return "the connection broke" if self._received < (self._total or 0) else None

    def _words(self, error: Exception) -> str:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise BootError(
                f"The certificate of {self._shown} is not valid: correct DATABASE_SNAPSHOT_URL, "
                "or install the missing authority."
            ) from None
        if isinstance(error, requests.ConnectTimeout) or "timed out" in str(error):
            return "the server does not answer"
        return "no connection" if isinstance(error, requests.ConnectionError) else "the connection broke"


@contextmanager
def _urls_unlogged() -> Iterator[None]:
    """Keep urllib3 from logging whole URLs, whose query can contain a signature."""
    loggers = [logging.getLogger(name) for name in URL_LOGGERS]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
