"""What gunicorn and the `flask` command load."""

import click

from app import create_app
from chassis.errors import AppError
from chassis.server.told import refuse_without_config

refuse_without_config()
try:
    app = create_app()
except AppError as error:
    refused = click.ClickException(error.message)  # the `flask` command shows it as one message
    refused.exit_code = error.exit_status
    raise refused from None
