"""Builds a section from values that may be invalid, and reports each mistake as a sentence."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from chassis.base import cron
from chassis.base.environment import inherited_secret_key
from chassis.settings.section import Problem, Section

S = TypeVar("S", bound=Section)
QUOTED = "is in quotes, which would be a part of it: leave them out (docker's --env-file keeps them)"
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]")


def parse(kind: type[S], values: Mapping[str, str], defaults: Mapping[str, Any]) -> tuple[S, list[Problem]]:
    """Return a section built from the environment's values, and the problems; an invalid value leaves the default."""
    given = {f: values[f.upper()] for f in kind.model_fields if f.upper() in values}
    given = {f: v for f, v in given.items() if v or _takes_nothing(kind, f)}
    if not given.get("secret_key") and "secret_key" in kind.model_fields:
        given |= {"secret_key": inherited_secret_key() or ""}
    section, wrong = build(kind, given, of_kind(kind, defaults))
    section.model_fields_set.intersection_update(given)  # defaults do not count as set
    wrong += [(name, sentence) for name, sentence in _unfit(given) if name not in dict(wrong)]
    reported = {name for name, _ in wrong}
    return section, wrong + [(name, text) for name, text in section.problems() if name not in reported]


def build(kind: type[S], given: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[S, list[Problem]]:
    """Return a section with those `given` values that are valid, and the problems with the others."""
    try:
        return kind(**{**defaults, **given}), []
    except ValidationError as error:
        wrong = [(str(e["loc"][0]).upper(), _sentence(e["msg"])) for e in error.errors() if e["loc"]]
        right = {field: value for field, value in given.items() if field.upper() not in dict(wrong)}
        return kind(**{**defaults, **right}), wrong


def of_kind(kind: type[Section], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that belong to a section."""
    return {name: value for name, value in values.items() if name in kind.model_fields}


def _unfit(given: Mapping[str, str]) -> Iterable[Problem]:
    """Yield values in quotes, and values with a character that nobody sees, such as the line break of a paste."""
    for field, value in given.items():
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            yield field.upper(), QUOTED
        elif found := UNSEEN.search(_without_breaks(value)):
            yield field.upper(), f"contains a character that is not shown, or is not UTF-8 (U+{ord(found[0]):04X})"


def _without_breaks(value: str) -> str:
    """Return a value without the blanks around the items of a list, which may be line breaks."""
    return ",".join(item.strip() for item in value.split(","))


def _takes_nothing(kind: type[Section], field: str) -> bool:
    """Return whether an empty value is a value, not the default: an empty list, or a schedule that never runs."""
    declared = kind.model_fields[field]
    never = any(getattr(part, "func", None) is cron.check for part in declared.metadata)
    return never or isinstance(declared.default, tuple)


def _sentence(message: str) -> str:
    return (
        message.replace("Input should be", "should be").replace("String should", "should").replace("Value error, ", "")
    )
