"""The keys that sign what goes out and comes back: SECRET_KEY, and the earlier ones, whose signatures still count."""

from flask import current_app


def secret_keys() -> list[str]:
    """Return them, the one that signs first; itsdangerous wants it last."""
    config = current_app.config
    return [config["SECRET_KEY"], *(config.get("SECRET_KEY_FALLBACKS") or ())]
