"""Re-encodes images in a process of its own, which reads JSON and imports nothing of the application.

A decoder that is attacked or exhausted takes only this process with it, and its memory is freed afterwards.
"""

import errno
import json
import math
import os
import resource
import sys
from typing import Any

WRITTEN = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WEBP", "GIF": "PNG"}
OPTIONS: dict[str, dict[str, Any]] = {  # what Pillow would carry over by itself is none
    "JPEG": {"quality": 90, "comment": None},
    "PNG": {"icc_profile": None},
    "WEBP": {"quality": 90},
}
BYTES_PER_PIXEL = 16  # the decoded image, its upright copy, and the encoder's buffers
NICENESS = 10  # the event loops go first
OWN_BYTES = 600_000_000  # address space of Python and the libraries
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def main() -> None:
    """Re-encode each `[source, target]`; write a line of JSON for each."""
    order = json.load(sys.stdin)
    os.umask(0o077)
    os.nice(NICENESS)
    limit_memory(order["pixels"])
    for source, target in order["images"]:
        limit_time(order["seconds"])
        sys.stdout.write(json.dumps(outcome(source, target, order["pixels"])) + "\n")
        sys.stdout.flush()


def limit_memory(pixels: int) -> None:
    """Limit the memory of this process, which macOS does not know, and what it leaves when it is ended."""
    if sys.platform == "linux":
        most = OWN_BYTES + pixels * BYTES_PER_PIXEL
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: int) -> None:
    """Limit the processor time that this process may use from now on: each image has as much, and no other's."""
    used, (_, most) = resource.getrusage(resource.RUSAGE_SELF), resource.getrlimit(resource.RLIMIT_CPU)
    until = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until if most == resource.RLIM_INFINITY else min(until, most), most))


def outcome(source: str, target: str, pixels: int) -> dict[str, object]:
    """Return the media type of the new image, or why there is none."""
    try:
        return re_encode(source, target, pixels)
    except OSError as error:
        return {"full": True} if error.errno in FULL else {"why": "it is damaged or of an unknown format"}
    except Exception:  # of a decoder that meets what its author did not think of
        return {"why": "it is damaged or of an unknown format"}


def re_encode(source: str, target: str, pixels: int) -> dict[str, object]:
    """Decode an image, turn it upright, and write it without what else the file contained."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # checked here, before anything is decoded
    with Image.open(source, formats=tuple(WRITTEN)) as image:
        width, height = image.size
        if width * height > pixels:
            return {"large": f"{width:,} x {height:,} pixels"}
        if getattr(image, "is_animated", False):  # n_frames would read all frames of a GIF
            return {"why": "it is animated"}
        kind = WRITTEN[str(image.format)]
        upright = ImageOps.exif_transpose(image)
    if kind == "JPEG" and upright.mode not in ("L", "RGB"):
        upright = upright.convert("RGB")
    if kind == "WEBP" and upright.mode not in ("RGB", "RGBA"):
        upright = upright.convert("RGBA")
    upright.save(target, format=kind, **OPTIONS[kind])
    return {"kind": f"image/{kind.lower()}"}


if __name__ == "__main__":
    main()
