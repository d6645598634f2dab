"""Commands of `flask` whose errors are one sentence each."""

from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from chassis.db.engine import may_pass, reason_of
from chassis.errors import AppError

__all__ = ["Group"]


class Group(click.Group):
    """A group of commands; an AppError or an error of the database is printed as `Error: ...`, with an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except AppError as error:
            raise click.ClickException(error.message) from None
        except SQLAlchemyError as error:
            raise click.ClickException(f"The database refused ({reason_of(error)}); {_advice(error)}.") from None


def _advice(error: SQLAlchemyError) -> str:
    if not may_pass(error):
        return "try `flask db upgrade` first"
    if "connection failed" in reason_of(error):
        return "check DATABASE_URL and that the server answers"
    return "free some space, or try again later"
