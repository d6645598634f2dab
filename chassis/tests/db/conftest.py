"""A web server that misbehaves on purpose, and databases to download from it."""

import hashlib
import re
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chassis.tests.patience import LIMIT_SECONDS, let_pass


@dataclass
class File:
    """One path of the site: its content, its fault, and the Range headers of the requests for it."""

    body: bytes
    how: str
    times: int
    etag: str
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


class Site:
    """The server; `put` a file with a kind of fault, and it answers correctly after `times` faulty answers."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.server = server
        self.files: dict[str, File] = {}
        self.closing = threading.Event()

    def url(self, path: str, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.server.server_address[1]}{path}"

    def put(
        self, path: str, body: bytes, how: str = "good", *, times: int = 10**9, etag: str = '"1"', sidecar: bool = True
    ) -> File:
        self.files[path] = File(body, how, times, etag)
        if sidecar:
            line = f"{hashlib.sha256(body).hexdigest()}  {path.rpartition('/')[2]}\n"
            self.files[f"{path}.sha256"] = File(line.encode(), "good", 0, "")
        return self.files[path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        file = self.site.files.get(self.path.partition("?")[0])
        if file is None:
            self._head(404, 9)
            self.wfile.write(b"not found")
            return
        file.asked.append(self.headers.get("Range"))
        file.paths.append(self.path)
        how = file.how if len(file.asked) <= file.times else "good"
        getattr(self, f"_{how}")(file)

    def _head(self, status: int, length: int | None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _ranged(self, file: File) -> int:
        found = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        changed = self.headers.get("If-Range") not in (None, file.etag)
        start, size = int(found[1]) if found and not changed else 0, len(file.body)
        etag = {"ETag": file.etag} if file.etag else {}
        if start:
            self._head(206, size - start, Content_Range=f"bytes {start}-{size - 1}/{size}", **etag)
        else:
            self._head(200, size, **etag)
        return start

    def _good(self, file: File) -> None:
        self.wfile.write(file.body[self._ranged(file) :])

    def _half(self, file: File) -> None:
        """Break off in the middle of the file, even if a range was requested."""
        self.wfile.write(file.body[self._ranged(file) : len(file.body) // 2])
        self.close_connection = True

    def _half_from_zero(self, file: File) -> None:
        self._head(200, len(file.body))
        self.wfile.write(file.body[: len(file.body) // 2])
        self.close_connection = True

    def _whole_from_zero(self, file: File) -> None:
        self._head(200, len(file.body))
        self.wfile.write(file.body)

    def _half_then_whole(self, file: File) -> None:
        """Ignore a requested range."""
        if len(file.asked) == 1:
            self._half(file)
        else:
            self._whole_from_zero(file)

    def _wrong_place(self, file: File) -> None:
        """Answer a request for a later range with the beginning."""
        size = len(file.body)
        if self.headers.get("Range"):
            self._head(206, 10, Content_Range=f"bytes 0-9/{size}")
            self.wfile.write(file.body[:10])
        else:
            self._half(file)

    def _chunked(self, file: File) -> None:
        """Send chunks without a length, and break off between two of them."""
        self._head(200, None, Transfer_Encoding="chunked")
        part = file.body[: len(file.body) // 2]
        self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        self.close_connection = True

    def _page(self, file: File) -> None:
        page = b"<!doctype html><title>Sign in</title>"
        self._head(200, len(page), Content_Type="text/html")
        self.wfile.write(page)

    def _status_403(self, file: File) -> None:
        self._head(403, 0)

    def _status_429(self, file: File) -> None:
        self._head(429, 0)

    def _status_500(self, file: File) -> None:
        self._head(500, 0)

    def _reset(self, file: File) -> None:
        self.close_connection = True

    def _stall(self, file: File) -> None:
        """Send the first half, then nothing, and keep the connection open."""
        self.wfile.write(file.body[self._ranged(file) : len(file.body) // 2])
        self.site.closing.wait(LIMIT_SECONDS)
        self.close_connection = True

    def _drip(self, file: File) -> None:
        """Send a little at a time."""
        left = file.body[self._ranged(file) :]
        for start in range(0, len(left), 4096):
            self.wfile.write(left[start : start + 4096])
            if self.site.closing.is_set():
                return
            let_pass(0.05)

    def _to_itself(self, file: File) -> None:
        self._head(302, 0, Location=self.path)

    def log_message(self, *args: object) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        """Ignore errors of clients, which are killed on purpose."""


@pytest.fixture
def site() -> Iterator[Site]:
    handler = type("BoundHandler", (Handler,), {})
    server = QuietServer(("127.0.0.1", 0), handler)
    handler.site = Site(server)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield handler.site  # type: ignore[attr-defined]
    handler.site.closing.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def make_database(tmp_path: Path) -> Callable[..., bytes]:
    """Return a function that creates a database with one word and some padding, and returns its bytes."""

    def make(word: str, *, rows: int = 200, wal: bool = False) -> bytes:
        path = tmp_path / f"made-{time.monotonic_ns()}"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}")
            connection.execute("CREATE TABLE words (word TEXT, weight BLOB)")
            connection.executemany("INSERT INTO words VALUES (?, randomblob(1000))", [(word,)] * rows)
            connection.commit()
        body = path.read_bytes()
        path.unlink()
        return body

    return make


@pytest.fixture
def word_in() -> Callable[[Path], str]:
    """Return a function that reads the word from such a database."""

    def read(path: Path) -> str:
        with closing(sqlite3.connect(path)) as connection:
            return str(connection.execute("SELECT DISTINCT word FROM words").fetchone()[0])

    return read


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 kB, where this user may mount one; the test with a file size limit needs no such right."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root; the same is tested with a file size limit")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
