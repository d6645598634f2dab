"""Finds the features of the service: the parts that it names, and every package in `app/features`."""

import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from chassis.base.environment import BASE_DIR
from chassis.base.service import current
from chassis.errors import SettingsError
from chassis.settings import Section, Settings
from chassis.settings.declared import defaults_of, sections_of
from chassis.settings.loading import load_settings

OWN, PARTS = BASE_DIR / "app/features", BASE_DIR / "chassis/parts"


@dataclass(frozen=True)
class Feature:
    """A feature's name, its package, and its folder."""

    name: str
    package: str
    folder: Path


def found() -> list[Feature]:
    """Return the parts that the service names and its own features, in alphabetical order.

    Raises SettingsError for a part that does not exist, and for a feature with the name of a part.
    """
    known = _in(PARTS, "chassis.parts")
    own, parts = _in(OWN, "app.features"), current().parts
    if missing := sorted(set(parts) - set(known)):
        raise SettingsError([("app/__init__.py", f"names parts that do not exist: {', '.join(missing)}")])
    if both := sorted(set(parts) & set(own)):
        raise SettingsError([("app/features", f"has the name of a part: {', '.join(both)}")])
    chosen = own | {name: known[name] for name in parts}
    return [chosen[name] for name in sorted(chosen)]


def _in(folder: Path, package: str) -> dict[str, Feature]:
    there = [module.name for module in pkgutil.iter_modules([str(folder)]) if module.ispkg]
    return {name: Feature(name, f"{package}.{name}", folder / name) for name in there}


def modules(part: str, *, own: bool = False) -> Iterator[ModuleType]:
    """Import and yield the modules `part` and `part_...`, such as `jobs` and `jobs_digest`, of every feature.

    `own` leaves out the parts of the chassis, whose `register` imports what their settings turn on.
    """
    for feature in found():
        if own and feature.package.startswith("chassis."):
            continue
        names = sorted(module.name for module in pkgutil.iter_modules([str(feature.folder)]))
        for name in names:
            if name == part or name.startswith(f"{part}_"):
                yield import_module(f"{feature.package}.{name}")


def sections() -> tuple[type[Section], ...]:
    """Return the sections of settings declared in `app/settings.py` and each feature's settings.py."""
    having = [feature for feature in found() if (feature.folder / "settings.py").exists()]
    modules = [_own_settings(), *(_settings_module(feature) for feature in having)]
    return tuple(kind for module in modules for kind in sections_of(module))


def _own_settings() -> ModuleType:
    return import_module("app.settings")


def _settings_module(feature: Feature) -> ModuleType:
    """Import a feature's settings.py, but not its `__init__.py`.

    gunicorn's master reads the settings; the feature's other imports must not happen before the workers are patched.
    """
    full = f"{feature.package}.settings"
    if full not in sys.modules:
        spec = spec_from_file_location(full, feature.folder / "settings.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


def load() -> Settings:
    """Read the settings of the chassis, of every feature and of the service, with the service's defaults."""
    return load_settings(sections(), defaults_of(_own_settings()))


def migrations() -> list[tuple[str, Path]]:
    """Return (feature, folder of its migrations) for every feature that owns tables."""
    folders = [(feature.name, feature.folder / "migrations") for feature in found()]
    return [(name, folder) for name, folder in folders if folder.is_dir()]
