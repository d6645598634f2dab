"""Steps that run once per start, before any worker, in order; also as `python -m chassis.boot`."""

from chassis.boot.migrations import branches, migrate, readiness
from chassis.boot.process import run
from chassis.boot.refusals import make_folder
from chassis.boot.sequence import boot
from chassis.boot.steps import check_database
from chassis.boot.trial import check

__all__ = ["boot", "branches", "check", "check_database", "make_folder", "migrate", "readiness", "run"]
