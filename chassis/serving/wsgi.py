"""Loads the application for gunicorn and the `flask` command."""

from collections.abc import Callable
from typing import Any

import click
from flask import Flask
from flask.cli import run_command

from chassis.errors import AppError
from chassis.server.told import refuse_without_config


def application(create_app: Callable[[], Flask]) -> Flask:
    """Return the application; report errors in its settings as one message with an exit status."""
    refuse_without_config()
    refuse_flask_run()
    try:
        return create_app()
    except AppError as error:
        refused: Any = click.ClickException(error.message)  # the `flask` command shows it as one message
        refused.exit_code = error.exit_status
        raise refused from None


def refuse_flask_run() -> None:
    """Raise ClickException under `flask run`, whose server has neither websockets nor jobs."""
    context = click.get_current_context(silent=True)
    if context is not None and context.command is run_command:
        raise click.ClickException(
            "`flask run` cannot serve this application, which needs sockets and jobs: use `make dev` or "
            "`python run_web.py`."
        )
