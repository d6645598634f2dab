"""What a module declares: sections of settings, and defaults for the settings of others."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pydantic.fields import FieldInfo

from chassis.settings.section import Section


def sections_of(module: ModuleType) -> tuple[type[Section], ...]:
    """Return the sections that a module declares, in their order; those that it imports are not its own."""
    return tuple(
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Section) and kind.__module__ == module.__name__
    )


def defaults_of(module: ModuleType) -> Mapping[str, Any]:
    """Return the DEFAULTS that a module declares, by the settings' names in lower case."""
    return getattr(module, "DEFAULTS", {})


def own_fields(kind: type[Section]) -> dict[str, FieldInfo]:
    """Return the settings that a section declares itself."""
    return {name: field for name, field in kind.model_fields.items() if name in kind.__annotations__}
