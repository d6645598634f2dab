"""What the disk has and says."""

import errno
import shutil
from pathlib import Path

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def free_bytes_of(folder: Path) -> int:
    """Return how many bytes this user may still write on the disk of `folder`."""
    return shutil.disk_usage(folder).free
