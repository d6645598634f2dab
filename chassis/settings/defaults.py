"""The defaults that a service declares instead of the core's, a part's or a feature's."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from chassis.settings.parsing import build, of_kind
from chassis.settings.section import Problem, Section


def checked(kinds: Iterable[type[Section]], defaults: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the defaults that can be used, by the setting's name in lower case, and what is wrong with the others."""
    problems = list(_not_allowed(kinds, defaults))
    for kind in kinds:
        own = of_kind(kind, defaults)
        problems += [(name, f"{sentence} (in DEFAULTS)") for name, sentence in (build(kind, own, {})[1] if own else [])]
    wrong = {name.lower() for name, _ in problems}
    return {name: value for name, value in defaults.items() if name.lower() not in wrong}, problems


def _not_allowed(kinds: Iterable[type[Section]], defaults: Mapping[str, Any]) -> Iterable[Problem]:
    fields = {name: field for kind in kinds for name, field in kind.model_fields.items()}
    for name in defaults:
        if name not in fields:
            yield name, "is not a setting (in DEFAULTS): write a setting's name in lower case, as in max_body_bytes"
        elif _is_secret(fields[name]):
            yield name.upper(), "is secret (in DEFAULTS): set it in the environment, and not in the code"


def _is_secret(field: FieldInfo) -> bool:
    """Return whether a setting hides its value and has no default; DATABASE_URL has one, and may have another."""
    return isinstance(field.default, SecretStr) and not field.default.get_secret_value()
