"""Checks that a start would succeed, without starting."""

from collections.abc import Callable

import structlog

from chassis import features
from chassis.boot.migrations import branches
from chassis.boot.refusals import explained
from chassis.db import db
from chassis.db.schema import pending
from chassis.errors import AppError, BootError
from chassis.settings import Settings

log = structlog.get_logger("chassis.boot")


def check(create_app: Callable[[Settings], object]) -> None:
    """Raise AppError if a start or a reload with the present files would fail."""
    settings = features.load()
    try:
        create_app(settings)
    except AppError:
        raise
    except Exception as error:
        raise BootError(f"The application cannot be imported: {type(error).__name__}: {error}") from error
    with explained("look for migrations", settings):
        there = settings.sqlite_path is None or settings.sqlite_path.exists()
        missing = pending(db, branches()) if there else []
    if missing:
        log.warning("migrations are pending; the next start applies them", branches=missing)
