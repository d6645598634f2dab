"""Checks whether any person can sign in."""

from chassis.db import db
from chassis.parts.accounts import store
from chassis.parts.accounts.settings import AccountSettings, OidcSettings
from chassis.wiring import current_settings


def anybody() -> bool:
    """Return whether an enabled account exists, or people may create one themselves."""
    settings = current_settings()
    provider = settings.section(OidcSettings)
    by_provider = provider.oidc_allowed_domains or provider.oidc_user_values or provider.oidc_admin_values
    if settings.section(AccountSettings).allow_registration or (provider.oidc_issuer and by_provider):
        return True
    return db.read(lambda conn: store.good_users(conn)) > 0
