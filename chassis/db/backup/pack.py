"""Packs a file with Zstandard, in pieces that are synced to the disk as they are written."""

import hashlib
import os
import time
from pathlib import Path

from chassis.base.compression import zstd
from chassis.db.snapshot.progress import Progress

LEVEL = 3
PIECE_BYTES = 1_048_576
SYNC_BYTES = 4_194_304  # synced at once, so that a writer's own sync does not wait for more
PRIVATE = 0o600  # a backup holds data that only the service can read


def create_private(path: Path) -> None:
    """Create an empty file that only this user can read."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))


def pack(source: Path, target: Path, progress: Progress) -> str:
    """Write `source` packed to `target`, synced to the disk; return its SHA-256."""
    options: dict[int, int] = {zstd.CompressionParameter.compression_level: LEVEL}
    options[zstd.CompressionParameter.checksum_flag] = 1
    packer, digest, total = zstd.ZstdCompressor(options=options), hashlib.sha256(), source.stat().st_size
    packer.set_pledged_input_size(total)  # so that a reader knows the needed space from the start
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
    """Sync to the disk, then leave it to others for as long as that took."""
    started = time.monotonic()
    os.fsync(descriptor)
    time.sleep(time.monotonic() - started)
