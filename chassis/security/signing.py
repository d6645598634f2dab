"""The keys for signatures: SECRET_KEY, and earlier keys, whose signatures are still accepted."""

from flask import current_app


def secret_keys() -> list[str]:
    """Return the keys, the signing key first; itsdangerous expects it last."""
    config = current_app.config
    return [config["SECRET_KEY"], *(config.get("SECRET_KEY_FALLBACKS") or ())]
