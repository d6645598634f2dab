"""The keys for signatures: SECRET_KEY, and earlier keys, whose signatures are still accepted."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, has_app_context

_configs: list[Mapping[str, Any]] = []


def configure(config: Mapping[str, Any]) -> None:
    """Use the keys of an application in threads that have none, such as those that write to the database."""
    _configs[:] = [config]


def secret_keys() -> list[str]:
    """Return the keys, the signing key first; itsdangerous expects it last."""
    config = current_app.config if has_app_context() else _configs[0]
    return [config["SECRET_KEY"], *(config.get("SECRET_KEY_FALLBACKS") or ())]
