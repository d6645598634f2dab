"""The settings in effect, with the source of each, and without secrets."""

from dataclasses import dataclass

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from chassis.base.environment import sources
from chassis.settings.core import GROUPS, Settings
from chassis.settings.declared import own_fields

HIDDEN = "***"
UNITS = {
    "_per_second": "per second",
    "_per_minute": "per minute",
    "_seconds": "seconds",
    "_minutes": "minutes",
    "_days": "days",
    "_bytes": "bytes",
    "_percent": "percent",
}
DEFAULT, MADE = "default", "generated at this start"


@dataclass(frozen=True)
class Effective:
    """One setting: its value as text, hidden if it is secret, and its source."""

    name: str
    value: str
    source: str
    group: str
    default: str = ""
    help: str = ""
    unit: str = ""


def listing(settings: Settings) -> list[Effective]:
    """Return all settings, in the order of their declaration."""
    names = [name.upper() for kind in settings.kinds for name in own_fields(kind)]
    found, known = sources(names), []
    for kind in settings.kinds:
        section = settings if kind in GROUPS else settings.section(kind)
        for name, field in own_fields(kind).items():
            source = found.get(name.upper(), DEFAULT) if name in section.model_fields_set else DEFAULT
            if name == "secret_key" and source == DEFAULT and settings.secret_key.get_secret_value():
                source = MADE
            value, default, about = _shown(getattr(section, name)), _shown(field.default), field.description or ""
            known.append(Effective(name.upper(), value, source, kind.__doc__ or "", default, about, unit_of(name)))
    return known


def as_text(value: object) -> str:
    """Return a value as written in a settings file."""
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def unit_of(name: str) -> str:
    """Return the unit of a setting, which the end of its name says, or ""."""
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    return as_text(value)
