"""Access to work: its owner and admins may see and change it; everybody may, where anonymous visitors are allowed."""

from chassis.errors import Forbidden, NotFound
from chassis.security import identity
from chassis.security.identity import ADMIN
from chassis.wiring import current_settings


def may_see(owner: str) -> bool:
    """Return whether the current identity may see an owner's work."""
    return _is(owner) or not current_settings().guarded or current_settings().public_read


def check_seen(owner: str, what: str) -> None:
    """Raise NotFound, as for work that does not exist, when the current identity may not see this owner's work."""
    if not may_see(owner):
        raise NotFound(f"There is no such {what}.")


def check_changed(owner: str, what: str) -> None:
    """Raise NotFound or Forbidden when the current identity may not see, or not change, this owner's work."""
    check_seen(owner, what)
    if not _is(owner) and current_settings().guarded:
        raise Forbidden(f"This {what} is somebody else's.")


def seen_owner() -> str | None:
    """Return the owner whose work may be listed, or None for everybody's."""
    return None if may_see("") else identity.current().owner


def _is(owner: str) -> bool:
    who = identity.current()
    return who.may(ADMIN) or (bool(owner) and who.owner == owner)
