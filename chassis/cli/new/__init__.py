"""`flask new`: writes a feature, a migration, an event or a kind of job in the style of this project."""

from chassis.cli.new.commands import group

__all__ = ["group"]
