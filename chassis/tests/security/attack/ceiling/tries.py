"""One request or event of an attack, as bytes and as a WSGI environ."""

import io
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

HOST = b"localhost"


@dataclass(frozen=True)
class Try:
    """A request; `row` is its route, `name` says what is wrong with it."""

    row: str
    name: str
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes | None = field(default=None, repr=False)

    @property
    def wire(self) -> bytes:
        """The request as it is sent."""
        length = [] if self.body is None else [(b"Content-Length", b"%d" % len(self.body))]
        lines = [b"%b: %b" % header for header in [(b"Host", HOST), *length, *self.headers]]
        head = b"\r\n".join([b"%b %b HTTP/1.1" % (self.method.encode(), self.target), *lines])
        return head + b"\r\n\r\n" + (self.body or b"")

    def environ(self, address: str) -> dict[str, Any]:
        """Return what a server makes of it."""
        path, _, query = self.target.partition(b"?")
        made: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "RAW_URI": self.target.decode("latin-1"),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": address,
            "HTTP_HOST": "localhost",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body or b""),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
        }
        if self.body is not None:
            made["CONTENT_LENGTH"] = str(len(self.body))
        for name, value in self.headers:
            key = name.decode().upper().replace("-", "_")
            key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
            given = value.decode("latin-1")
            made[key] = f"{made[key]},{given}" if key in made else given
        return made
