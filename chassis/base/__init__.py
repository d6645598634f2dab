"""Helpers for every room: turns on the event loop, texts, times.

Nothing of weight is imported here, since gunicorn's master imports this package before its workers patch the standard
library.
"""

from chassis.base.concurrency import Turns, current_mode, run_in_thread
from chassis.base.environment import BASE_DIR
from chassis.base.partial_json import Unread, json_length, json_members
from chassis.base.texts import excerpt, normalized, storable
from chassis.base.times import DAY_SECONDS, iso

__all__ = [
    "BASE_DIR",
    "DAY_SECONDS",
    "Turns",
    "Unread",
    "current_mode",
    "excerpt",
    "iso",
    "json_length",
    "json_members",
    "normalized",
    "run_in_thread",
    "storable",
]
