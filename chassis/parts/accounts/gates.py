"""What a session still lacks before it may do anything: a second factor that is shown, or one that is set up."""

from typing import Any

from sqlalchemy import Row

from chassis.parts.accounts import store
from chassis.parts.accounts.settings import AccountSettings
from chassis.wiring import current_settings

SHOW, SET_UP = "/second-factor", "/account/factors"
MAX_SECONDS = 1_800  # a session that lacks something ends after so long


def of(session: Row[Any]) -> str:
    """Return the page that a session has to pass, or ""."""
    if session.has_factor:
        return SHOW if session.factor_at is None else ""
    return SET_UP if required(session.role) else ""


def required(role: str) -> bool:
    """Return whether accounts of a role have to have a second factor."""
    own: AccountSettings = current_settings().section(AccountSettings)
    who = own.accounts_second_factor
    return who == "everyone" or (who == "admins" and role == store.ADMIN)
