"""Keeps what passwords need while they are hashed from staying with the process."""

import contextlib
import ctypes
from functools import cache

LARGE_BYTES, SPARE_BYTES = 4_194_304, 16_777_216
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


@cache
def return_large_blocks() -> None:
    """Let malloc map each large block by itself from now on, and so return it to the system when it is freed.

    glibc takes a block of argon2 (19 MiB) for one that is needed often, puts the next ones into the heap of each thread
    that hashes, and never shrinks those heaps. Other C libraries return large blocks anyway. The other threshold is set
    since glibc stops adapting it: small blocks go on to be kept for the next ones.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)
