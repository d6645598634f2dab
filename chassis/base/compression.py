"""Compression of answers and backups: gzip; Zstandard, from Python 3.14 on of the standard library, before it of a
backport; and Brotli where the extra `brotli` is installed."""

import sys
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd
try:
    import brotli
except ImportError:
    brotli = None

__all__ = ["ENCODINGS", "Packer", "chosen", "packer", "zstd"]

GZIP_FORMAT = 31  # of zlib's window bits
QUICK = {"gzip": 5, "zstd": 3, "br": 4}  # for answers: about as fast as one another
SMALL = {"gzip": 9, "zstd": 19, "br": 11}  # for what is compressed once


class Packer(Protocol):
    """Compresses pieces; `flush` returns what the pieces so far still lack, so that a client can read them."""

    def add(self, data: bytes) -> bytes: ...
    def flush(self) -> bytes: ...
    def end(self) -> bytes: ...


class _Gzip:
    def __init__(self, level: int) -> None:
        self._packer = zlib.compressobj(level, zlib.DEFLATED, GZIP_FORMAT)
        self.add, self.end = self._packer.compress, self._packer.flush

    def flush(self) -> bytes:
        return self._packer.flush(zlib.Z_SYNC_FLUSH)


class _Zstd:
    def __init__(self, level: int) -> None:
        self._packer = zstd.ZstdCompressor(level=level)
        self.add = self._packer.compress

    def flush(self) -> bytes:
        return self._packer.flush(zstd.ZstdCompressor.FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._packer.flush(zstd.ZstdCompressor.FLUSH_FRAME)


class _Brotli:
    def __init__(self, level: int) -> None:
        made: Any = brotli.Compressor(quality=level, mode=brotli.MODE_TEXT)
        self.add, self.flush, self.end = made.process, made.flush, made.finish


_Maker = Callable[[int], Packer]
_MAKERS: Mapping[str, _Maker] = {"zstd": _Zstd, **({"br": _Brotli} if brotli else {}), "gzip": _Gzip}
ENCODINGS = tuple(_MAKERS)  # the first that a client takes as gladly as others is chosen


def packer(encoding: str, *, small: bool = False) -> Packer:
    """Return a new packer; `small` takes long."""
    return _MAKERS[encoding]((SMALL if small else QUICK)[encoding])


@lru_cache(maxsize=64)  # browsers send a few different values
def chosen(accept: str) -> str | None:
    """Return the encoding for an Accept-Encoding header, or None for none (RFC 9110, section 12.5.3)."""
    weights = dict(_weighted(part) for part in accept.lower().split(","))
    anything = weights.get("*", 0.0)
    best = max(ENCODINGS, key=lambda encoding: weights.get(encoding, anything))
    weight = weights.get(best, anything)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def _weighted(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    key, _, value = parameter.strip().partition("=")
    try:
        return name.strip(), float(value) if key.strip() == "q" else 1.0
    except ValueError:
        return name.strip(), 0.0
