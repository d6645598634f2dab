"""The accounts' own settings."""

from typing import Literal

from pydantic import Field

from app.settings import Section


class AccountSettings(Section):
    """Accounts"""

    allow_registration: bool = Field(
        False, description="Let anybody make an account at /register. Whether an e-mail is theirs is not verified."
    )
    session_idle_seconds: int = Field(
        43_200, ge=1, description="Who sent no request for this long is signed out, also of open sockets."
    )
    session_max_seconds: int = Field(604_800, ge=1, description="Who signed in this long ago has to do it again.")
    accounts_second_factor: Literal["off", "admins", "everyone"] = Field(
        "off", description="Who has to have a second factor: `admins`, `everyone`, or with `off` nobody, and all may."
    )
    invitation_seconds: int = Field(604_800, ge=1, description="How long an invitation link works.")
    reset_link_seconds: int = Field(86_400, ge=1, description="How long a link for a new password works.")
