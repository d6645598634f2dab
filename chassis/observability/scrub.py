"""Redacts secrets in data that leaves the process other than through the log: errors and traces."""

from typing import Any

from chassis.observability.redaction import HIDDEN, is_secret_name, redact_line, secret_values
from chassis.settings import Settings


class Scrubber:
    """Hides the settings' own secrets, values with a secret name, and strings of a secret's shape."""

    def __init__(self, settings: Settings) -> None:
        self._secrets = secret_values(settings)

    def clean(self, value: Any) -> Any:
        """Return a value, or a tree of values, without secrets; values of other than JSON's types are hidden."""
        if isinstance(value, str):
            return redact_line(value, self._secrets)
        if isinstance(value, dict):
            return {name: HIDDEN if _secret(name) else self.clean(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(inner) for inner in value]
        return value if value is None or isinstance(value, bool | int | float) else HIDDEN


def _secret(name: object) -> bool:
    return isinstance(name, str) and is_secret_name(name)
