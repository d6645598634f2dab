"""Packages that a setting needs; the check does not import them."""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from chassis.settings.section import Problem


@cache
def installed(package: str) -> bool:
    """Return whether a package is installed, without importing it."""
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def needed(name: str, package: str, extra: str) -> Iterable[Problem]:
    """Yield the problem of the setting `name` when the package that it needs is not installed."""
    if not installed(package):
        yield name, f"needs the package {package} (the extra {extra} of pyproject.toml)"
