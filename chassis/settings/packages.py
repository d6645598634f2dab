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


def needed(name: str, package: str, extra: str = "") -> Iterable[Problem]:
    """Yield the problem of the setting `name` when the package that it needs is not installed; `extra` is one of it."""
    if not installed(package):
        yield name, missing(f"{package}[{extra}]" if extra else package)


def missing(package: str) -> str:
    """Return the rest of a sentence about a package that is not installed: how to get the version of the lock file."""
    return (
        f"needs the package {package}: run `.venv/bin/pip install -c requirements-dev.txt '{package}'`, or build the "
        f"image with `--build-arg PACKAGES='{package}'`"
    )
