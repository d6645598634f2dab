"""Reads all settings, and reports every mistake at once."""

from collections.abc import Mapping
from typing import Any

from chassis.base.environment import read_environment
from chassis.errors import SettingsError
from chassis.settings.core import Settings
from chassis.settings.defaults import checked
from chassis.settings.parsing import parse
from chassis.settings.section import Section

NONE: Mapping[str, Any] = {}


def load_settings(sections: tuple[type[Section], ...] = (), defaults: Mapping[str, Any] = NONE) -> Settings:
    """Read all settings, the core's and the given sections'; raise SettingsError with every mistake at once.

    `defaults` replaces the defaults of any of them, by name, as in `{"max_body_bytes": 32_000_000}`.
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
    problems += [problem for section in settings._sections.values() for problem in section.problems_with(settings)]
    if problems:
        raise SettingsError(problems)
    return settings


def _unreported(wrong: list[tuple[str, str]], problems: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what is wrong with settings that have no problem yet: a file of theirs could not be read."""
    reported = {name.removesuffix("_FILE") for name, _ in problems}
    return [(name, sentence) for name, sentence in wrong if name not in reported]
