"""The service that `app/__init__.py` declares, for use in every room."""

from dataclasses import dataclass
from importlib import import_module

from chassis import __version__ as CHASSIS_VERSION
from chassis.naming import slug_of

__all__ = ["CHASSIS_VERSION", "Service", "current"]


@dataclass(frozen=True)
class Service:
    """A service: its name for people, its version, and the parts of the chassis that it uses.

    The slug is its name for programs, such as `my-service`, which processes, channels and traces have. Without one it
    is made from the name.
    """

    name: str
    version: str
    parts: tuple[str, ...] = ()
    slug: str = ""

    def __post_init__(self) -> None:
        if not self.slug:
            object.__setattr__(self, "slug", slug_of(self.name))


def current() -> Service:
    """Return the service that `app` declares."""
    service: Service = import_module("app").service
    return service
