"""`flask mail`: try whether e-mail can be sent."""

import click

from chassis import mail
from chassis.commands import Group
from chassis.errors import Conflict

group = Group("mail", help="Send a test message.")


@group.command("test")
@click.argument("to")
def test(to: str) -> None:
    """Send a test message to an address at once, and say what the server answered."""
    if not mail.ready():
        raise Conflict("E-mail is off: set SMTP_URL and MAIL_FROM.")
    mail.send_now(to, "mail/test")
    click.echo(f"The mail server has taken the message to {to}.")
