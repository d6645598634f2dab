"""What the disk has and says."""

import errno
import shutil
from pathlib import Path

PRIVATE = 0o600
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def free_bytes_of(folder: Path) -> int:
    """Return how many bytes this user may still write on the disk of `folder`."""
    return shutil.disk_usage(folder).free


def make_private(path: Path) -> Path:
    """Make an empty file for its owner alone; raise FileExistsError when there is one."""
    path.touch(PRIVATE, exist_ok=False)
    return path
