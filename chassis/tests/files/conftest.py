"""A server that takes files of several types, and requests to it."""

import io
from pathlib import Path

import pytest
import requests

from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.security.conftest import CLIENT, GUARDED

TYPES = "text/csv, text/plain, application/pdf, image/png, image/jpeg, image/webp, image/gif"
LIMITS = {"MAX_FILE_SIZE": "300000", "MAX_FILES_PER_BATCH": "4", "MAX_TOTAL_UPLOAD_SIZE": "800000"}
SMALL = {**LIMITS, "MAX_IMAGE_PIXELS": "1000000", "UPLOAD_TYPES": TYPES, **GUARDED}


@pytest.fixture
def site(shared_with):
    """A server with small limits, shared by all tests of a process."""
    return shared_with(**SMALL)


def send(server, *files: tuple[str, bytes], key: str = CLIENT, path: str = "/api/files") -> requests.Response:
    """Upload (name, content) of each file."""
    parts = [("files", (name, content)) for name, content in files]
    return requests.post(server.url + path, files=parts, headers={"X-API-Key": key}, timeout=LIMIT_SECONDS)


def ask(server, path: str, method: str = "GET", key: str = CLIENT, **headers: str) -> requests.Response:
    """Request a path of the API of files."""
    sent = {"X-API-Key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    below = f"/{path}" if path and not path.startswith("?") else path
    return requests.request(method, f"{server.url}/api/files{below}", headers=sent, timeout=LIMIT_SECONDS)


def stored(server) -> list[Path]:
    """Return all files under the server's folder of files, hidden ones too."""
    return [path for path in folder(server).rglob("*") if path.is_file()]


def folder(server) -> Path:
    """Return the folder in which a server stores files."""
    return Path(server.env.get("FILES_TO") or server.folder / "files")


def picture(size=(40, 30), *, ending="png", **options) -> bytes:
    """Return an image with four colours."""
    image_library = pytest.importorskip("PIL.Image")
    image = image_library.linear_gradient("L").resize(size).convert("RGB")
    file = io.BytesIO()
    image.save(file, {"jpg": "JPEG"}.get(ending, ending.upper()), **options)
    return file.getvalue()
