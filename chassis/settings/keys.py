"""Keys in settings, and checks for weak ones."""

from collections.abc import Iterable

from pydantic import SecretStr

from chassis.settings.section import Problem

WELL_KNOWN = (
    "changeme",
    "change-me",
    "secret",
    "password",
    "your-secret",
    "example",
    "insecure",
    "default",
)
MIN_CHARACTERS = 32
MIN_DIFFERENT = 8


def listed(several: SecretStr) -> list[SecretStr]:
    """Return the keys of a comma-separated setting."""
    return [SecretStr(part.strip()) for part in several.get_secret_value().split(",") if part.strip()]


def weaknesses(name: str, given: Iterable[SecretStr], advice: str = "") -> Iterable[Problem]:
    """Yield the weaknesses of the setting `name`'s keys; an empty key gives no access."""
    for key in filter(None, (one.get_secret_value() for one in given)):
        if len(key) < MIN_CHARACTERS or len(set(key)) < MIN_DIFFERENT:
            yield name, f"is too short or too simple ({MIN_CHARACTERS} random characters or more){advice}"
        elif any(word in key.lower() for word in WELL_KNOWN):
            yield name, f"is a well-known placeholder{advice}"
