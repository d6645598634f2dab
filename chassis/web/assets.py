"""Static files: `url_for` gives them names with a hash, which browsers keep for a year, and each is compressed once.

The hash is that of the whole folder and stands before the name, as in `/static/v-0123456789ab/app.css`. So what a
script or a style sheet names relative to itself, as modules name one another, has the same hash without being
rewritten. Names without a hash work too, and browsers ask for them each time.
"""

import hashlib
import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_from_directory
from werkzeug.security import safe_join

from chassis.base.compression import chosen
from chassis.base.concurrency import run_in_thread
from chassis.settings import Settings
from chassis.web.compressing import COMPRESSIBLE, SMALLEST_BYTES, whole

TAG_DIGITS = 12
HASHED_FOLDER = re.compile(rf"v-[0-9a-f]{{{TAG_DIGITS}}}")
LARGEST_BYTES = 2_000_000  # of a file that is compressed and kept in memory
FOR_A_YEAR, ASKED_FOR = "public, max-age=31536000, immutable", "no-cache"
State = tuple[tuple[str, int, int], ...]


class Assets:
    """A folder of static files; unless it is `fixed`, as in production, changes of its files are noticed."""

    def __init__(self, folder: Path, *, fixed: bool) -> None:
        self._folder, self._fixed = folder, fixed
        self._state: State | None = None
        self._tag = ""
        self._packed: dict[tuple[str, str], tuple[int, bytes]] = {}

    def tag(self) -> str:
        """Return the name of the hash of all files."""
        if self._fixed and self._tag:
            return self._tag
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file())
        state = tuple((str(path), found.st_mtime_ns, found.st_size) for path in paths for found in [path.stat()])
        if state != self._state:
            self._tag, self._state = _tag_of(self._folder, paths), state
        return self._tag

    def send(self, filename: str) -> Response:
        """Return a file by its name, with or without a hash; an old hash gives today's file, which is not kept."""
        first, _, rest = filename.partition("/")
        hashed = HASHED_FOLDER.fullmatch(first) is not None
        name = rest if hashed else filename
        response = self._packed_file(name) or send_from_directory(self._folder, name)
        response.headers["Cache-Control"] = FOR_A_YEAR if hashed and first == self.tag() else ASKED_FOR
        if response.mimetype in COMPRESSIBLE:
            response.vary.add("Accept-Encoding")
        return response

    def _packed_file(self, name: str) -> Response | None:
        """Return a file in an encoding that the client takes, or None where it is sent as it is."""
        encoding, kind = chosen(request.environ.get("HTTP_ACCEPT_ENCODING", "")), mimetypes.guess_type(name)[0]
        path = Path(safe_join(str(self._folder), name) or "")
        if encoding is None or kind not in COMPRESSIBLE or "HTTP_RANGE" in request.environ or not path.is_file():
            return None
        found = path.stat()
        if not SMALLEST_BYTES <= found.st_size <= LARGEST_BYTES:
            return None
        response = Response(self._packed_once(path, found.st_mtime_ns, encoding), mimetype=kind)
        response.headers["Content-Encoding"] = encoding
        response.set_etag(f"{found.st_mtime_ns:x}-{found.st_size:x}", weak=True)
        response.make_conditional(request.environ)
        return response

    def _packed_once(self, path: Path, changed: int, encoding: str) -> bytes:
        known = self._packed.get((str(path), encoding))
        if known is None or known[0] != changed:
            known = changed, run_in_thread(lambda: whole(path.read_bytes(), encoding, small=True))
            self._packed[str(path), encoding] = known
        return known[1]


def _tag_of(folder: Path, paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode())
        digest.update(content)
    return f"v-{digest.hexdigest()[:TAG_DIGITS]}"


def install(app: Flask, settings: Settings) -> None:
    """Serve the static files of the application and of every blueprint; call it when all are registered."""
    folders = {"static": app.static_folder}
    folders |= {f"{name}.static": blueprint.static_folder for name, blueprint in app.blueprints.items()}
    found = {
        endpoint: Assets(Path(folder), fixed=settings.production)
        for endpoint, folder in folders.items()
        if folder and endpoint in app.view_functions
    }
    for endpoint, assets in found.items():
        app.view_functions[endpoint] = _view(assets)

    @app.url_defaults
    def add_hash(endpoint: str, values: dict[str, Any]) -> None:
        assets, filename = found.get(endpoint), values.get("filename")
        if assets is not None and filename:
            values["filename"] = f"{assets.tag()}/{filename}"


def _view(assets: Assets) -> Callable[..., Response]:
    def send(filename: str) -> Response:
        return assets.send(filename)

    return send
