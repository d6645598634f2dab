"""Unpacks data in pieces, a bounded amount at a time: a small file can unpack to fill a disk."""

import zlib
from collections.abc import Iterator

from chassis.base.compression import zstd

UNPACK_BYTES = 1_048_576


class Gzip:
    """A gzip file of one or several members."""

    name, magic = "gzip", b"\x1f\x8b"
    broken = zlib.error

    def __init__(self, head: bytes) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self.size_bytes: int | None = None  # unknown before the end

    @property
    def complete(self) -> bool:
        """Return whether the data so far ends where a file can end."""
        return self._member.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the unpacked next bytes."""
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")  # tapes and some tools pad with zeros
                if not data:
                    return
                self._member = zlib.decompressobj(wbits=31)
            yield self._member.decompress(data, UNPACK_BYTES)
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail


class Zstd:
    """A Zstandard file of one or several frames."""

    name, magic = "zstd", b"\x28\xb5\x2f\xfd"
    broken = zstd.ZstdError

    def __init__(self, head: bytes) -> None:
        self._frame = zstd.ZstdDecompressor()
        self.size_bytes = _frame_bytes(head)

    @property
    def complete(self) -> bool:
        """Return whether the data so far ends where a file can end."""
        return self._frame.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the unpacked next bytes."""
        while data or not (self._frame.eof or self._frame.needs_input):
            if self._frame.eof:
                self._frame = zstd.ZstdDecompressor()
            yield self._frame.decompress(data, UNPACK_BYTES)
            data = self._frame.unused_data if self._frame.eof else b""


def _frame_bytes(head: bytes) -> int | None:
    try:
        return zstd.get_frame_info(head).decompressed_size
    except zstd.ZstdError:
        return None


FORMATS: tuple[type[Gzip] | type[Zstd], ...] = (Gzip, Zstd)
