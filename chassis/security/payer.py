"""Who pays for a call: the key and the account of a request, or of the one that submitted a job."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.security import identity

__all__ = ["Payer", "current", "paying"]

KEY_PREFIX = "ak"  # of keys as they are shown
_KEY = "key:"
_current: ContextVar["Payer | None"] = ContextVar("payer", default=None)


@dataclass(frozen=True, slots=True)
class Payer:
    """A key, as `key:ID`, and an account; either is empty where there is none."""

    key: str = ""
    account: str = ""

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return those that have budgets: the key, the account, both or none."""
        return tuple(sorted(name for name in (self.key, self.account) if name))


def of(owner: str, key: str = "") -> Payer:
    """Return the payer for an owner and the key that it used; a key without an owner is its own owner."""
    key = key or (owner if owner.startswith(_KEY) else "")
    return Payer(key, "" if owner == key else owner)


def key_of(who: identity.Identity) -> str:
    """Return the key of an identity as `key:ID`, or ""."""
    return who.principal if who.principal.startswith(_KEY) else ""


def current() -> Payer:
    """Return who pays for calls made here; nobody does in commands and schedules, and visitors are nobody."""
    found = _current.get()
    if found is not None:
        return found
    who = identity.current()
    return of(who.owner, key_of(who))


@contextmanager
def paying(payer: Payer) -> Iterator[None]:
    """Charge the calls within to a payer; threads with a copy of the context do the same."""
    before = _current.set(payer)
    try:
        yield
    finally:
        _current.reset(before)


def subject_of(shown: str) -> str:
    """Return the name of a budget for what a person writes: a key as ak_ID, key:ID, or an account."""
    if shown.startswith(f"{KEY_PREFIX}_"):
        return _KEY + shown.split("_")[1]
    return shown
