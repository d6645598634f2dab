"""What the tests of the snapshot step look at: checksums and the files of a folder."""

import hashlib
from pathlib import Path


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def databases(folder: Path) -> list[str]:
    """The databases in the folder; SQLite's own -wal and -shm of a reader may sit beside them."""
    return [name for name in names(folder) if not name.endswith(("-wal", "-shm"))]
