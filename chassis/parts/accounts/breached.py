"""Looks a password up in the list of breached ones, a Bloom filter that breached_build.py makes.

The filter answers for 1.4 million passwords of 12 to 24 characters, without regard to case; it also names one in 200
others of that length. Longer ones are hardly ever in such lists, and phrases of words are longer.
Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 1970.
"""

import mmap
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path

FILE = Path(__file__).with_name("breached.bloom")
HASHES = 8
MOST_CHARACTERS = 24


def is_breached(password: str) -> bool:
    """Return whether the password is in the list; its pages are read from the disk as they are needed."""
    if len(password) > MOST_CHARACTERS:
        return False
    bits = _bits()
    return all(bits[place >> 3] & (1 << (place & 7)) for place in places(password, len(bits) * 8))


def places(password: str, size: int) -> Iterator[int]:
    """Yield the bits of a password in a filter of `size` bits: Kirsch and Mitzenmacher, "Less Hashing", 2006."""
    digest = blake2b(password.lower().encode("utf-8", "surrogatepass"), digest_size=16).digest()
    first, step = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
    return ((first + number * step) % size for number in range(HASHES))


@cache
def _bits() -> mmap.mmap:
    with FILE.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
