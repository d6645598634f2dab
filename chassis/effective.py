"""The settings that are in force, as they may be shown: with where each comes from, and without secrets."""

from dataclasses import dataclass

from pydantic import SecretStr

from chassis.base.environment import sources
from chassis.settings import GROUPS, Settings, own_fields

HIDDEN = "***"
DEFAULT, MADE = "default", "generated at this start"


@dataclass(frozen=True)
class Effective:
    """One setting: its value as text, hidden when it is secret, and its source."""

    name: str
    value: str
    source: str
    group: str


def listing(settings: Settings) -> list[Effective]:
    """Return all settings, in the order of their declaration."""
    names = [name.upper() for kind in settings.kinds for name in own_fields(kind)]
    found, known = sources(names), []
    for kind in settings.kinds:
        section = settings if kind in GROUPS else settings.section(kind)
        for name in own_fields(kind):
            source = found.get(name.upper(), DEFAULT) if name in section.model_fields_set else DEFAULT
            if name == "secret_key" and source == DEFAULT and settings.secret_key.get_secret_value():
                source = MADE
            known.append(Effective(name.upper(), _shown(getattr(section, name)), source, kind.__doc__ or ""))
    return known


def as_text(value: object) -> str:
    """Return a value as it is written in a file of settings."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    return as_text(value)
