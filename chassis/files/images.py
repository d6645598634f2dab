"""Re-encodes uploaded images, a few processes at a time, and refuses those that cannot be decoded within limits."""

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from chassis.base import lifeline
from chassis.base.concurrency import run_in_thread
from chassis.base.cores import usable_cores
from chassis.errors import PayloadTooLarge, StorageFull, UnsupportedMediaType
from chassis.files.incoming import FULL
from chassis.settings import Settings, installed

CHILD = Path(__file__).with_name("image_child.py")
LOOK_SECONDS = 0.02
IMAGE_SECONDS = 20  # of the processor for one image
REFUSED = "image_refused"


@cache
def _places() -> threading.Semaphore:
    return threading.Semaphore(usable_cores())


def re_encode(images: list[tuple[str, Path, Path]], settings: Settings) -> list[str]:
    """Re-encode each (name, source, target); return the media types of the targets.

    The targets have no metadata, such as places and thumbnails, and nothing that was hidden in the source. Raises
    UnsupportedMediaType or PayloadTooLarge for the first image that is refused, and StorageFull.
    """
    if not installed("pillow"):
        raise UnsupportedMediaType("This service takes no images: its extra images is not installed.", code=REFUSED)
    with _places():
        told = _run([(str(source), str(target)) for _, source, target in images], settings.max_image_pixels)
    told += [{"why": "it could not be decoded within the limits of memory and time"}]
    return [_kind(name, answer, settings) for (name, _, _), answer in zip(images, told, strict=False)]


def _run(images: list[tuple[str, str]], pixels: int) -> list[dict[str, Any]]:
    order = {"images": images, "pixels": pixels, "seconds": IMAGE_SECONDS}
    with tempfile.TemporaryFile("w+") as asked, tempfile.TemporaryFile("w+") as said:
        json.dump(order, asked)  # an argument has at most 128 kB
        asked.seek(0)
        streams: dict[str, Any] = {"stdin": asked, "stdout": said, "stderr": subprocess.DEVNULL}
        process, line = lifeline.start([sys.executable, "-I", str(CHILD)], **streams)
        with line:
            try:
                while process.poll() is None:
                    time.sleep(LOOK_SECONDS)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        said.seek(0)
        return [json.loads(line) for line in said if line.endswith("\n")]


def _kind(name: str, answer: dict[str, Any], settings: Settings) -> str:
    if answer.get("full"):
        raise StorageFull(FULL)
    if large := answer.get("large"):
        raise PayloadTooLarge(f"{name} has {large}; the limit is {settings.max_image_pixels:,} pixels in all.")
    if why := answer.get("why"):
        raise UnsupportedMediaType(f"{name} is refused: {why}.", code=REFUSED)
    return str(answer["kind"])


def figures(path: Path) -> tuple[int, str]:
    """Return the size and the SHA-256 of a new file."""

    def read() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return path.stat().st_size, run_in_thread(read)
