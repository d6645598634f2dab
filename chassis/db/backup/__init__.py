"""Backups: made while the service runs, kept for a time, tested by restoring them, and restored.

For commands and the boot, which can wait; a worker enqueues the job kinds `backup` and `backup_drill` instead.
"""

from chassis.db.backup.make import make
from chassis.db.backup.memory import FAILED, LAST, PROVEN, failed
from chassis.db.backup.migration import before_migrations
from chassis.db.backup.model import Backup, BackupError, Made, Proof, Restored
from chassis.db.backup.proof import verify
from chassis.db.backup.restore import restore
from chassis.db.backup.retention import listing, prune

__all__ = [
    "FAILED",
    "LAST",
    "PROVEN",
    "Backup",
    "BackupError",
    "Made",
    "Proof",
    "Restored",
    "before_migrations",
    "failed",
    "listing",
    "make",
    "prune",
    "restore",
    "verify",
]
