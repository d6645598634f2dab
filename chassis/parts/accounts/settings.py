"""The accounts' own settings."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from chassis.settings import CommaList, Section, Settings, needed

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class AccountSettings(Section):
    """Accounts"""

    allow_registration: bool = Field(
        False, description="Let anyone create an account at /register. E-mail addresses are not verified."
    )
    session_idle_seconds: int = Field(
        43_200, ge=1, description="A session without a request for this long ends, and its sockets are closed."
    )
    session_max_seconds: int = Field(
        604_800, ge=1, description="Maximum age of a session; after it the person has to sign in again."
    )
    accounts_second_factor: Literal["off", "admins", "everyone"] = Field(
        "off",
        description="Accounts that must have a second factor: `admins`, `everyone`, or `off`; it is optional for "
        "others.",
    )
    invitation_seconds: int = Field(604_800, ge=1, description="How long an invitation link works.")
    reset_link_seconds: int = Field(86_400, ge=1, description="How long a link for a new password works.")


class OidcSettings(Section):
    """Sign-in by another service (OpenID Connect)"""

    oidc_issuer: str = Field(
        "",
        pattern=r"^(https?://[^\s?#/@]+(/[^\s?#]*)?)?$",
        description="The provider's issuer URL, exactly as in its discovery document; empty turns the provider off.",
    )
    oidc_client_id: str = Field("", description="The client ID that the provider gave to this service.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="The client secret for OIDC_CLIENT_ID.")
    oidc_name: str = Field(
        "single sign-on", min_length=1, max_length=60, description="The provider's name on the sign-in button."
    )
    oidc_scopes: CommaList = Field(
        ("openid", "email", "profile"), description="Scopes to request; some providers need one for groups."
    )
    oidc_allowed_domains: CommaList = Field(
        (),
        description="If set, only verified e-mail addresses of these domains may sign in and join through the "
        "provider.",
    )
    oidc_role_claim: str = Field(
        "",
        pattern=r"^[^\s]*$",
        description="The claim that holds a person's groups or roles, as in `groups` or `realm_access.roles`.",
    )
    oidc_admin_values: CommaList = Field(
        (), description="Values of that claim that give the role admin, checked at each sign-in."
    )
    oidc_user_values: CommaList = Field(
        (),
        description="Values of that claim that give the role user; if set, people without a listed value cannot sign "
        "in.",
    )
    oidc_email_trust: Literal["verified", "all"] = Field(
        "verified",
        description="`all` also accepts e-mail addresses that the provider has not verified; use it only if people "
        "cannot choose their address there.",
    )
    password_sign_in: bool = Field(
        True,
        description="Let people sign in with a password. If off, only the provider works; `flask users sign-in-link` "
        "creates a link for emergencies.",
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
        return [*found, *needed("OIDC_ISSUER", "authlib"), *self._of_roles()]

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
