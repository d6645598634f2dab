"""Features: each package in this folder is one, found by its presence."""

import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from chassis.settings import Section, Settings, load_settings

if TYPE_CHECKING:
    from flask import Flask

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the features' names, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)]) if module.ispkg)


def modules(part: str) -> Iterator[ModuleType]:
    """Import and yield `app.features.<name>.<part>` of every feature that has it."""
    for name in names():
        if find_spec(f"app.features.{name}.{part}"):
            yield import_module(f"app.features.{name}.{part}")


def sections() -> tuple[type[Section], ...]:
    """Return the settings sections that features declare as `Section` subclasses in their settings.py."""
    return tuple(
        kind
        for module in (_settings_module(name) for name in names() if (FOLDER / name / "settings.py").exists())
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Section) and kind.__module__ == module.__name__
    )


def _settings_module(name: str) -> ModuleType:
    """Import a feature's settings.py and not its `__init__.py`.

    gunicorn's master reads the settings, and what a feature imports must reach the workers unimported and unpatched.
    """
    full = f"app.features.{name}.settings"
    if full not in sys.modules:
        spec = spec_from_file_location(full, FOLDER / name / "settings.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


def load() -> Settings:
    """Read the settings of the core and of every feature."""
    return load_settings(sections())


def install(app: "Flask") -> None:
    """Let every feature add its routes, socket events and job kinds."""
    for name in names():
        import_module(f"app.features.{name}").register(app)


def migrations() -> list[tuple[str, Path]]:
    """Return (feature, folder of its migrations) of every feature that owns tables."""
    folders = [(name, FOLDER / name / "migrations") for name in names()]
    return [(name, folder) for name, folder in folders if folder.is_dir()]
