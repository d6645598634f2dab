"""The key of a development start, which has none of its own."""

import secrets

from pydantic import SecretStr

from chassis.base.environment import EPHEMERAL_SECRET_KEY, pass_to_children
from chassis.settings.core import Settings


def ensure_secret_key(settings: Settings) -> Settings:
    """Give a development start its own SECRET_KEY, the same in this process and in all that it starts."""
    if settings.secret_key.get_secret_value():
        return settings
    key = secrets.token_urlsafe(48)
    pass_to_children(EPHEMERAL_SECRET_KEY, key)
    return settings.model_copy(update={"secret_key": SecretStr(key)})
