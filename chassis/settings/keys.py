"""Keys in settings, and what is weak about them."""

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
    """Return the keys of a setting that holds several, separated by commas."""
    return [SecretStr(part.strip()) for part in several.get_secret_value().split(",") if part.strip()]


def weaknesses(name: str, given: Iterable[SecretStr], advice: str = "") -> Iterable[Problem]:
    """Yield what is weak about the keys of the setting `name`; an empty key opens nothing."""
    for key in filter(None, (one.get_secret_value() for one in given)):
        if len(key) < MIN_CHARACTERS or len(set(key)) < MIN_DIFFERENT:
            yield name, f"is too short or too simple ({MIN_CHARACTERS} random characters or more){advice}"
        elif any(word in key.lower() for word in WELL_KNOWN):
            yield name, f"is a well-known placeholder{advice}"
