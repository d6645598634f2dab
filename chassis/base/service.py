"""The service that `app/__init__.py` declares, for use in every room."""

import re
from dataclasses import dataclass
from importlib import import_module

from chassis import __version__ as CHASSIS_VERSION

__all__ = ["CHASSIS_VERSION", "Service", "current"]

NO_LETTERS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Service:
    """A service: its name for people, its version, and the parts of the chassis that it uses."""

    name: str
    version: str
    parts: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """Return the name for programs, such as `my-service`, which processes, channels and traces have."""
        return NO_LETTERS.sub("-", self.name.lower()).strip("-")


def current() -> Service:
    """Return the service that `app` declares."""
    service: Service = import_module("app").service
    return service
