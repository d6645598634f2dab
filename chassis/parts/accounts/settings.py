"""The accounts' own settings."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from chassis.settings import CommaList, Section, Settings, installed

LOOPBACK = ("localhost", "127.0.0.1", "::1")


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


class OidcSettings(Section):
    """Sign-in by another service (OpenID Connect)"""

    oidc_issuer: str = Field(
        "",
        pattern=r"^(https?://[^\s?#/@]+(/[^\s?#]*)?)?$",
        description="The provider's issuer URL, exactly as its discovery document says it; empty is no provider.",
    )
    oidc_client_id: str = Field("", description="The client ID that the provider gave this service.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="The client secret that belongs to it.")
    oidc_name: str = Field(
        "single sign-on", min_length=1, max_length=60, description="What the button calls the provider."
    )
    oidc_scopes: CommaList = Field(
        ("openid", "email", "profile"), description="Scopes that are asked for; some providers need one for groups."
    )
    oidc_allowed_domains: CommaList = Field(
        (), description="Only verified e-mail addresses of these domains may sign in by the provider, and may join."
    )
    oidc_role_claim: str = Field(
        "",
        pattern=r"^[^\s]*$",
        description="The claim that holds a person's groups or roles, as in `groups` or `realm_access.roles`.",
    )
    oidc_admin_values: CommaList = Field((), description="Values of that claim that make an admin, at each sign-in.")
    oidc_user_values: CommaList = Field(
        (), description="Values of that claim that may sign in as a user; when set, people with no value stay out."
    )
    oidc_email_trust: Literal["verified", "all"] = Field(
        "verified",
        description="`all` takes e-mail addresses that the provider does not call verified: only where people cannot "
        "choose their address there.",
    )
    password_sign_in: bool = Field(
        True,
        description="Let people sign in by a password. Off, the provider is the only way; `flask users sign-in-link` "
        "makes a link for emergencies.",
    )

    def problems(self) -> list[tuple[str, str]]:
        """Return missing settings for the provider, and settings without a provider."""
        if not self.oidc_issuer:
            return self._without_issuer()
        found = [
            (name, "is missing: OIDC_ISSUER is set")
            for name, value in (
                ("OIDC_CLIENT_ID", self.oidc_client_id),
                ("OIDC_CLIENT_SECRET", self.oidc_client_secret.get_secret_value()),
            )
            if not value
        ]
        if urlsplit(self.oidc_issuer).scheme == "http" and urlsplit(self.oidc_issuer).hostname not in LOOPBACK:
            found.append(("OIDC_ISSUER", "must start with https://"))
        if "openid" not in self.oidc_scopes:
            found.append(("OIDC_SCOPES", "must list openid"))
        if not installed("authlib"):
            found.append(
                (
                    "OIDC_ISSUER",
                    "needs the package authlib (the extra oidc of pyproject.toml), see chassis/docs/sign-in.md",
                )
            )
        return found + self._of_roles()

    def problems_with(self, settings: Settings) -> list[tuple[str, str]]:
        """Return what the provider requires of the core's settings."""
        if self.oidc_issuer and not settings.public_url:
            return [("PUBLIC_URL", "is missing: the provider sends people back there (OIDC_ISSUER is set)")]
        return []

    def _without_issuer(self) -> list[tuple[str, str]]:
        found = [
            (name.upper(), "is set, and OIDC_ISSUER is not")
            for name in ("oidc_client_id", "oidc_client_secret", "oidc_allowed_domains", "oidc_role_claim")
            if name in self.model_fields_set and getattr(self, name)
        ]
        if not self.password_sign_in:
            found.append(("PASSWORD_SIGN_IN", "is off, and no OIDC_ISSUER is set: nobody could sign in"))
        return found

    def _of_roles(self) -> list[tuple[str, str]]:
        values = self.oidc_admin_values or self.oidc_user_values
        if values and not self.oidc_role_claim:
            return [("OIDC_ROLE_CLAIM", "is missing: OIDC_ADMIN_VALUES or OIDC_USER_VALUES is set")]
        if self.oidc_role_claim and not values:
            return [("OIDC_ADMIN_VALUES", "is missing: OIDC_ROLE_CLAIM is set")]
        return []
