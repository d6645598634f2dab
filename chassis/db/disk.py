"""Free space, full-disk errors and private files."""

import errno
import shutil
from pathlib import Path

PRIVATE = 0o600
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def free_bytes_of(folder: Path) -> int:
    """Return how many bytes this user can still write to the disk of `folder`."""
    return shutil.disk_usage(folder).free


def make_private(path: Path) -> Path:
    """Create an empty file that only its owner can read; raise FileExistsError if it exists."""
    path.touch(PRIVATE, exist_ok=False)
    return path
