"""Pictures, servers, and requests to them."""

import io
import zlib

import pytest
import requests
from PIL import Image

from chassis.tests.conftest import page, serve, tool
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import CLIENT, GUARDED

__all__ = ["page", "serve", "tool"]
API = "/api/inspections"
ENDED = ("succeeded", "failed", "cancelled", "interrupted")


@pytest.fixture
def site(shared_with):
    """A server with keys, shared by the tests of a process."""
    return shared_with(**GUARDED)


def picture(seed=0, *, size=(320, 240), kind="JPEG", brightness=1.0) -> bytes:
    """Return an image that no other seed has: sharp squares, and grey in grey the darker it is."""
    squares = Image.new("L", (32, 24))
    state = zlib.crc32(str(seed).encode())
    squares.putdata([(40 + (state >> (number % 24)) * (number + 7) % 175) for number in range(32 * 24)])
    grey = squares.resize(size, Image.Resampling.NEAREST).point(lambda value: int(value * brightness))
    file = io.BytesIO()
    grey.convert("RGB").save(file, kind)
    return file.getvalue()


def dark(seed=0) -> bytes:
    """Return an image that is too dark."""
    return picture(seed, brightness=0.1)


def send(server, *images: bytes, key: str = CLIENT, name: str = "") -> requests.Response:
    """Upload images."""
    parts = [("files", (f"part-{number}.jpg", image)) for number, image in enumerate(images)]
    fields = {"name": name} if name else {}
    url, headers = server.url + API, {"X-API-Key": key}
    return requests.post(url, fields, files=parts, headers=headers, timeout=LIMIT_SECONDS)


def ask(server, path: str = "", method: str = "GET", *, key: str = CLIENT, **options) -> requests.Response:
    """Request a path of the API."""
    url, headers = f"{server.url}{API}{path}", {"X-API-Key": key}
    return requests.request(method, url, headers=headers, timeout=LIMIT_SECONDS, **options)


def ended(server, inspection_id: str, key: str = CLIENT) -> dict:
    """Return an inspection when it has ended."""
    return wait_until(lambda: (now := ask(server, f"/{inspection_id}", key=key).json())["status"] in ENDED and now)


def inspected(server, *images: bytes, key: str = CLIENT) -> list[dict]:
    """Upload images, and return them in their order when all have an outcome."""
    made = send(server, *images, key=key)
    assert made.status_code == 202, made.text
    assert ended(server, made.json()["id"], key)["status"] == "succeeded"
    return images_of(server, made.json()["id"], key)


def images_of(server, inspection_id: str, key: str = CLIENT) -> list[dict]:
    """Return the images of an inspection in their order."""
    return ask(server, f"/{inspection_id}/results.json", key=key).json()
