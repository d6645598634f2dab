"""Whose work it is: its owner and admins see and change it, and everybody where nothing is guarded."""

from chassis.errors import Forbidden, NotFound
from chassis.security import identity
from chassis.security.identity import ADMIN
from chassis.wiring import current_settings


def may_see(owner: str) -> bool:
    """Return whether whoever asks may see the work of an owner."""
    return _is(owner) or not current_settings().guarded or current_settings().public_read


def check_seen(owner: str, what: str) -> None:
    """Raise NotFound, as for what does not exist, when the work of this owner is not for whoever asks."""
    if not may_see(owner):
        raise NotFound(f"There is no such {what}.")


def check_changed(owner: str, what: str) -> None:
    """Raise NotFound or Forbidden when whoever asks may not see, or not change, the work of this owner."""
    check_seen(owner, what)
    if not _is(owner) and current_settings().guarded:
        raise Forbidden(f"This {what} belongs to someone else.")


def seen_owner() -> str | None:
    """Return the only owner whose work may be listed, or None for everybody's."""
    return None if may_see("") else identity.current().owner


def _is(owner: str) -> bool:
    who = identity.current()
    return who.may(ADMIN) or (bool(owner) and who.owner == owner)
