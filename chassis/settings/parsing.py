"""Makes a section of values that may be wrong, and says in sentences what is."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError

from chassis.base import cron
from chassis.base.environment import inherited_secret_key
from chassis.settings.section import Problem, Section

S = TypeVar("S", bound=Section)


def parse(kind: type[S], values: Mapping[str, str], defaults: Mapping[str, Any]) -> tuple[S, list[Problem]]:
    """Return a section of the environment's values, and what is wrong; a wrong value leaves the default."""
    given = {f: values[f.upper()] for f in kind.model_fields if f.upper() in values}
    given = {f: v for f, v in given.items() if v or _takes_nothing(kind, f)}
    if not given.get("secret_key") and "secret_key" in kind.model_fields:
        given |= {"secret_key": inherited_secret_key() or ""}
    section, wrong = build(kind, given, of_kind(kind, defaults))
    section.model_fields_set.intersection_update(given)  # a default is not set
    wrong += [(name, sentence) for name, sentence in _quoted(kind, given) if name not in dict(wrong)]
    reported = {name for name, _ in wrong}
    return section, wrong + [(name, text) for name, text in section.problems() if name not in reported]


def build(kind: type[S], given: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[S, list[Problem]]:
    """Return a section of those `given` values that pass their own rules, and what is wrong with the others."""
    try:
        return kind(**{**defaults, **given}), []
    except ValidationError as error:
        wrong = [(str(e["loc"][0]).upper(), _sentence(e["msg"])) for e in error.errors() if e["loc"]]
        right = {field: value for field, value in given.items() if field.upper() not in dict(wrong)}
        return kind(**{**defaults, **right}), wrong


def of_kind(kind: type[Section], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that belong to a section."""
    return {name: value for name, value in values.items() if name in kind.model_fields}


def _quoted(kind: type[Section], given: Mapping[str, str]) -> Iterable[Problem]:
    """Yield the secrets that are in quotes, as docker's --env-file leaves them: they would be a part of the key."""
    for field, value in given.items():
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        if quoted and kind.model_fields[field].annotation is SecretStr:
            yield (
                field.upper(),
                "is in quotes, which would be a part of it: leave them out (docker's --env-file keeps them)",
            )


def _takes_nothing(kind: type[Section], field: str) -> bool:
    """Return whether an empty value is one, and not the default: an empty list, or the schedule of what never runs."""
    declared = kind.model_fields[field]
    never = any(getattr(part, "func", None) is cron.check for part in declared.metadata)
    return never or isinstance(declared.default, tuple)


def _sentence(message: str) -> str:
    return (
        message.replace("Input should be", "should be").replace("String should", "should").replace("Value error, ", "")
    )
