"""A group of commands whose errors are one sentence each."""

from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from chassis.db.engine import may_pass, reason_of
from chassis.errors import AppError


class Group(click.Group):
    """Turns the application's and the database's errors into `Error: ...` and a status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except AppError as error:
            raise click.ClickException(error.message) from None
        except SQLAlchemyError as error:
            advice = "free some space, or try again later" if may_pass(error) else "try `flask db upgrade` first"
            sentence = f"The database refused ({reason_of(error)}); {advice}."
            raise click.ClickException(sentence) from None
