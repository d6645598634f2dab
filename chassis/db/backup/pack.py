"""Packs a file with Zstandard, in pieces that are written through to the disk as they come."""

import hashlib
import os
import time
from pathlib import Path

from backports import zstd

from chassis.db.snapshot.progress import Progress

LEVEL = 3
PIECE_BYTES = 1_048_576
SYNC_BYTES = 4_194_304  # written through at once, so that no writer's own sync has to wait for more
PRIVATE = 0o600  # a backup holds what only the service may read


def create_private(path: Path) -> None:
    """Make an empty file that only this user may read."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))


def pack(source: Path, target: Path, progress: Progress) -> str:
    """Write `source` packed to `target`, which is on the disk when this returns; return its SHA-256."""
    options: dict[int, int] = {zstd.CompressionParameter.compression_level: LEVEL}
    options[zstd.CompressionParameter.checksum_flag] = 1
    packer, digest, total = zstd.ZstdCompressor(options=options), hashlib.sha256(), source.stat().st_size
    packer.set_pledged_input_size(total)  # so that a reader knows at once how much room it needs
    create_private(target)
    with source.open("rb") as file, target.open("wb") as packed:
        unsynced = 0
        while piece := file.read(PIECE_BYTES):
            some = packer.compress(piece)
            digest.update(some)
            unsynced += packed.write(some)
            if unsynced >= SYNC_BYTES:
                _sync_and_wait(packed.fileno())
                unsynced = 0
            progress(file.tell(), total)
        rest = packer.flush()
        digest.update(rest)
        packed.write(rest)
        packed.flush()
        os.fsync(packed.fileno())
    return digest.hexdigest()


def _sync_and_wait(descriptor: int) -> None:
    """Write through to the disk, and leave it to others for as long as that took."""
    started = time.monotonic()
    os.fsync(descriptor)
    time.sleep(time.monotonic() - started)
