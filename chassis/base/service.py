"""What the cloner's `app/__init__.py` says about the service; every room finds it here."""

import re
from dataclasses import dataclass
from importlib import import_module

from chassis import __version__ as CHASSIS_VERSION

__all__ = ["CHASSIS_VERSION", "Service", "current"]


@dataclass(frozen=True)
class Service:
    """A service: its name for people, its version, and the parts of the chassis that it uses."""

    name: str
    version: str
    parts: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The name for programs, such as `my-service`: what processes, channels and traces are called."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def current() -> Service:
    """Return the service that `app` declares."""
    service: Service = import_module("app").service
    return service
