"""The person described by the provider's claims, and whether this person may sign in."""

from dataclasses import dataclass
from typing import Any

from chassis.base.texts import storable
from chassis.errors import Forbidden
from chassis.parts.accounts import emails, store
from chassis.parts.accounts.joining import MAX_NAME
from chassis.parts.accounts.settings import OidcSettings


@dataclass(frozen=True)
class Person:
    """A person at the provider: `email` is set only when it is verified, `role` is None when no claim decides it."""

    issuer: str
    subject: str
    email: str
    name: str
    role: str | None
    may_join: bool


def of(claims: dict[str, Any], own: OidcSettings) -> Person:
    """Return the person of verified claims; raise Forbidden when the settings do not admit the person."""
    email = _email(claims, own)
    domains = {domain.lower().lstrip("@") for domain in own.oidc_allowed_domains}
    if domains and email.rpartition("@")[2] not in domains:
        raise Forbidden("The domain of your email address may not sign in here.", code="domain_refused")
    role = _role(claims, own)
    may_join = bool(domains or own.oidc_user_values) or role == store.ADMIN
    return Person(own.oidc_issuer, claims["sub"], email, _name(claims.get("name")), role, may_join)


def lacks(claims: dict[str, Any], own: OidcSettings) -> bool:
    """Return whether the ID token lacks claims that the settings need, so that userinfo is asked for them."""
    return "email" not in claims or (bool(own.oidc_role_claim) and _claim(claims, own.oidc_role_claim) is None)


def _email(claims: dict[str, Any], own: OidcSettings) -> str:
    """Return the normal address when verified, otherwise ""; some providers send the boolean claim as a string."""
    said = claims.get("email")
    proven = own.oidc_email_trust == "all" or claims.get("email_verified") in (True, "true")
    if not isinstance(said, str) or not proven:
        return ""
    email = emails.normal(storable(said))
    return email if emails.plausible(email) else ""


def _name(said: object) -> str:
    name = " ".join(storable(said[: 4 * MAX_NAME]).split())[:MAX_NAME] if isinstance(said, str) else ""
    return name if name.isprintable() else ""


def _role(claims: dict[str, Any], own: OidcSettings) -> str | None:
    """Return the role that the claim gives; raise Forbidden when it gives none although one is required."""
    if not own.oidc_role_claim:
        return None
    found = _claim(claims, own.oidc_role_claim)
    values = {value for value in (found if isinstance(found, list) else [found]) if isinstance(value, str)}
    if values & set(own.oidc_admin_values):
        return store.ADMIN
    if own.oidc_user_values and not values & set(own.oidc_user_values):
        raise Forbidden(
            "You have no role for this service. Ask the people who run the sign-in service for one.",
            code="role_missing",
        )
    return store.USER


def _claim(claims: dict[str, Any], path: str) -> Any:
    """Return a claim by its name, or by its path through objects, as in Keycloak's `realm_access.roles`."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
