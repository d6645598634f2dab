"""A group of commands whose errors are one sentence each."""

from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from app.db.engine import reason_of
from app.errors import AppError


class Group(click.Group):
    """Turns the application's and the database's errors into `Error: ...` and a status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except AppError as error:
            raise click.ClickException(error.message) from None
        except SQLAlchemyError as error:
            sentence = f"The database refused ({reason_of(error)}); try `flask db upgrade` first."
            raise click.ClickException(sentence) from None
