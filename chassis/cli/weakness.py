"""A weakness of the installation, as the checks of `flask doctor` report it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chassis.settings import Settings


@dataclass(frozen=True)
class Weakness:
    """A weakness, and its remedy in one line."""

    name: str
    problem: str
    fix: str


Check = Callable[[Settings], Iterator[Weakness]]
