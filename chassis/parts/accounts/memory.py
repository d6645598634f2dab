"""Returns the memory for hashing passwords to the system afterwards."""

import contextlib
import ctypes
from functools import cache

LARGE_BYTES, SPARE_BYTES = 4_194_304, 16_777_216
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


@cache
def return_large_blocks() -> None:
    """Make malloc map each large block separately, so that it is returned to the system when it is freed.

    glibc assumes that a block of argon2 (19 MiB) is needed often, puts the next ones into the heap of each thread that
    hashes, and never shrinks those heaps. Other C libraries return large blocks anyway. The other threshold must be set
    because glibc then stops adapting it: small blocks are still kept for reuse.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)
