"""Reads all settings, and reports every mistake at once."""

from collections.abc import Mapping
from typing import Any

from chassis.base.environment import read_environment, variables
from chassis.errors import SettingsError
from chassis.settings import foreign
from chassis.settings.core import Settings
from chassis.settings.defaults import checked
from chassis.settings.parsing import parse
from chassis.settings.section import Section

NONE: Mapping[str, Any] = {}


def load_settings(sections: tuple[type[Section], ...] = (), defaults: Mapping[str, Any] = NONE) -> Settings:
    """Read all settings, those of the core and of the given sections; raise SettingsError with every mistake at once.

    `defaults` replaces defaults of any section by setting name, as in `{"max_body_bytes": 32_000_000}`.
    """
    kinds: tuple[type[Section], ...] = (Settings, *sections)
    values, problems = read_environment([field.upper() for kind in kinds for field in kind.model_fields])
    usable, wrong = checked(kinds, defaults)
    problems += wrong
    settings, wrong = parse(Settings, values, usable)
    problems += _unreported(wrong, problems)
    settings._defaults = usable
    for kind in sections:
        settings._sections[kind], wrong = parse(kind, values, usable)
        problems += _unreported(wrong, problems)
    problems += foreign.problems(variables(), values, lambda name: str(getattr(settings, name.lower())))
    problems += [problem for section in settings._sections.values() for problem in section.problems_with(settings)]
    if problems:
        raise SettingsError(problems)
    return settings


def _unreported(wrong: list[tuple[str, str]], problems: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return errors of settings without a reported problem: one of their files could not be read."""
    reported = {name.removesuffix("_FILE") for name, _ in problems}
    return [(name, sentence) for name, sentence in wrong if name not in reported]
