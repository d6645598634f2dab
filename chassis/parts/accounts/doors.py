"""Whether anybody can come in as a person at all."""

from chassis.db import db
from chassis.parts.accounts import store
from chassis.parts.accounts.settings import AccountSettings, OidcSettings
from chassis.wiring import current_settings


def anybody() -> bool:
    """Return whether there is an account that is not disabled, or people may make one by themselves."""
    settings = current_settings()
    provider = settings.section(OidcSettings)
    by_provider = provider.oidc_allowed_domains or provider.oidc_user_values or provider.oidc_admin_values
    if settings.section(AccountSettings).allow_registration or (provider.oidc_issuer and by_provider):
        return True
    return db.read(lambda conn: store.good_users(conn)) > 0
