"""Operators' switches for all running processes: stored in the database, read by existing background loops."""

import json
import math
import time
from pathlib import Path
from typing import Any

import structlog

from chassis.db import db, state
from chassis.security import log_level
from chassis.settings import Settings

log = structlog.get_logger(__name__)
MAINTENANCE = "maintenance"
STALE_SECONDS = 1.0  # a process without such a loop, as a command, reads when asked


class _Known:
    settings: Settings | None = None
    kept: dict[str, Any] = {}
    file: Any = None
    looked = -math.inf


def configure(settings: Settings) -> None:
    """Use these settings, and discard an earlier application's values."""
    _Known.settings, _Known.kept, _Known.file, _Known.looked = settings, {}, None, -math.inf


def look() -> None:
    """Read all switches; while the database is unavailable, the last known values stay in force."""
    if _Known.settings is None:
        return
    _Known.looked, _Known.file = time.monotonic(), _read(file_of(_Known.settings))
    try:
        _Known.kept = db.read(lambda conn: {name: state.get(conn, name) for name in (MAINTENANCE, log_level.NAME)})
    except Exception:
        log.debug("switches_not_read", exc_info=True)  # readiness reports it, and the table may not be migrated yet
    log_level.apply(_Known.kept.get(log_level.NAME), _Known.settings.log_level)


def refresh(seconds: float) -> None:
    """Read all switches if the known values are older than this."""
    if time.monotonic() - _Known.looked > seconds:
        look()


def maintenance() -> Any:
    """Return the stored maintenance mode, or None while it is off."""
    refresh(STALE_SECONDS)
    return _Known.kept.get(MAINTENANCE) or _Known.file


def file_of(settings: Settings) -> Path:
    """Return the file that turns the maintenance mode on while the database cannot be written."""
    return settings.data_folder / "maintenance.json"


def _read(file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return None
    try:
        return {"reason": str(json.loads(text)["reason"])}
    except (ValueError, KeyError, TypeError):
        return {"reason": text.strip()[:300] or "maintenance"}  # the file was written by hand
