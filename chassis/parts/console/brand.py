"""The service's name, colour and logo, stored in the database for all processes and across restarts."""

import base64
import hashlib
import struct
import time
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from chassis.db import db, state
from chassis.errors import PayloadTooLarge, UnsupportedMediaType
from chassis.security import audit
from chassis.security.uploads import kind_of

KEPT, LOGO = "brand", "brand_logo"
READ_AGAIN_SECONDS = 2.0  # another process may show the old brand this long
MAX_LOGO_BYTES, MAX_PIXELS = 100_000, 2_000
PNG = "image/png"


@dataclass(frozen=True)
class Brand:
    """The service's look; an empty value keeps the default, and `logo` is the SHA-256 of the picture."""

    name: str = ""
    colour: str = ""
    logo: str = ""


class Brands:
    """This process's copy of the brand."""

    def __init__(self) -> None:
        self._brand, self._read_at = Brand(), float("-inf")
        self._logo: tuple[str, bytes] = ("", b"")

    def present(self) -> Brand:
        """Return the brand; while the database is unavailable, the last known one."""
        if time.monotonic() - self._read_at > READ_AGAIN_SECONDS:
            self._read_at = time.monotonic()
            try:
                self._brand = Brand(**(db.read(lambda conn: state.get(conn, KEPT)) or {}))
            except SQLAlchemyError:
                return self._brand
        return self._brand

    def logo(self) -> bytes:
        """Return the image, or empty bytes without one."""
        wanted = self.present().logo
        if wanted and self._logo[0] != wanted:
            kept: dict[str, Any] = db.read(lambda conn: state.get(conn, LOGO)) or {}
            self._logo = (kept.get("sha256", ""), base64.b64decode(kept.get("png", "")))
        return self._logo[1] if wanted else b""

    def save(self, name: str, colour: str, *, logo: bytes | None) -> None:
        """Store a brand; a `logo` of None keeps the current one, an empty one removes it."""
        now = self.present().logo if logo is None else hashlib.sha256(logo).hexdigest() if logo else ""
        brand = Brand(name, colour, now)
        line = audit.entry("brand.change", name or "default")

        def write(conn: Connection) -> None:
            state.put(conn, KEPT, asdict(brand))
            if logo is not None:
                state.put(conn, LOGO, {"sha256": now, "png": base64.b64encode(logo).decode()})
            audit.write(conn, line)

        db.write(write)
        audit.tell(line)
        self._brand, self._read_at = brand, time.monotonic()


def check_logo(data: bytes) -> bytes:
    """Return an image that may be shown to everybody; raise when its content is not PNG, or it is too large.

    Other formats are refused: an SVG may contain scripts, and a browser's guess at another format is a risk.
    """
    if len(data) > MAX_LOGO_BYTES:
        raise PayloadTooLarge(f"The logo has {len(data):,} bytes; the limit is {MAX_LOGO_BYTES:,}.")
    if kind_of(data, "logo") != PNG or data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise UnsupportedMediaType("The logo must be a PNG picture.")
    if max(struct.unpack(">II", data[16:24].ljust(8, b"\xff"))) > MAX_PIXELS:
        raise PayloadTooLarge(f"The logo may be at most {MAX_PIXELS:,} pixels wide and high.")
    return data
