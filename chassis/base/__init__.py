"""Helpers for every room: turns on the event loop, texts, times.

Nothing of weight is imported here, since gunicorn's master imports this package before its workers patch the standard
library.
"""

from chassis.base.concurrency import Turns, current_mode, run_in_thread
from chassis.base.environment import BASE_DIR
from chassis.base.texts import excerpt, normalized, storable
from chassis.base.times import DAY_SECONDS, iso

__all__ = [
    "BASE_DIR",
    "DAY_SECONDS",
    "Turns",
    "current_mode",
    "excerpt",
    "iso",
    "normalized",
    "run_in_thread",
    "storable",
]
