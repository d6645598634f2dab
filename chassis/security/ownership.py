"""Ownership: jobs and rows are seen and changed by their owner and admins, and by all where nothing is guarded."""

from chassis.errors import Forbidden, NotFound
from chassis.security import identity
from chassis.security.identity import ADMIN
from chassis.wiring import current_settings

__all__ = ["check_changed", "check_seen", "may_see", "seen_owner"]


def may_see(owner: str) -> bool:
    """Return whether the caller may see the work of an owner."""
    return _is(owner) or not current_settings().guarded or current_settings().public_read


def check_seen(owner: str, what: str) -> None:
    """Raise NotFound when the caller may not see the work of this owner; `what` is named in the sentence."""
    if not may_see(owner):
        raise NotFound(f"There is no such {what}.")


def check_changed(owner: str, what: str) -> None:
    """Raise NotFound when the caller may not see the work of this owner, Forbidden when they may not change it."""
    check_seen(owner, what)
    if not _is(owner) and current_settings().guarded:
        raise Forbidden(f"This {what} belongs to someone else.")


def seen_owner() -> str | None:
    """Return the owner whose work the caller may list, or None when they may list all."""
    return None if may_see("") else identity.current().owner


def _is(owner: str) -> bool:
    who = identity.current()
    return who.may(ADMIN) or (bool(owner) and who.owner == owner)
