"""`flask users`: make the first admin, invite, disable, sign out, without a page."""

import secrets
import sys

import click

from chassis.base.times import iso
from chassis.commands import Group
from chassis.parts.accounts import administration, joining, links, store, totp
from chassis.security import leaving
from chassis.wiring import current_settings

group = Group("users", help="Make, invite, list and disable people's accounts.")
role_option = click.option("--role", type=click.Choice(store.ROLES), default=store.USER, show_default=True)
url_option = click.option("--url", default="", help="Where people reach the service; by default PUBLIC_URL.")


@group.command("create-admin")
@click.argument("email")
@click.option("--generate", is_flag=True, help="Make a password and print it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create_admin(email: str, generate: bool, password_stdin: bool) -> None:
    """Make an account that may do everything; asks for its password unless told otherwise."""
    if generate and password_stdin:
        raise click.UsageError("--generate and --password-stdin exclude each other.")
    password = secrets.token_urlsafe(18) if generate else _read() if password_stdin else _asked()
    joining.create(email, store.ADMIN, password)
    if generate:
        click.echo(password)
    click.echo(f"{email} may sign in now.", err=True)


@group.command("list")
def list_command() -> None:
    """List all accounts by their e-mail."""
    page, seen = 1, 0
    while True:
        found, total = administration.listing(page=page)
        for user in found:
            state = "disabled" if user.disabled_at else "good"
            seen_at = iso(user.last_sign_in_at) or "never"
            click.echo(f"{user.email}  {user.role:<5}  {state:<8}  signed in {seen_at}  {user.name}".rstrip())
        page, seen = page + 1, seen + len(found)
        if seen >= total or not found:
            break
    if not seen:
        click.echo("No accounts yet: flask users create-admin EMAIL")


@group.command()
@click.argument("email")
@role_option
@url_option
def invite(email: str, role: str, url: str) -> None:
    """Print a link that makes an account, once."""
    click.echo(_whole(url, links.path(links.INVITATION, links.invite(email, role))))


@group.command("reset-link")
@click.argument("email")
@url_option
def reset_link(email: str, url: str) -> None:
    """Print a link that sets another password, once."""
    click.echo(_whole(url, links.path(links.RESET, links.reset(administration.find(email)))))


@group.command("sign-in-link")
@click.argument("email")
@url_option
def sign_in_link(email: str, url: str) -> None:
    """Print a link that signs somebody in, once, within a quarter of an hour: the way in while nothing else works."""
    click.echo(_whole(url, links.path(links.SIGN_IN, links.emergency(administration.find(email)))))


@group.command()
@click.argument("email")
@click.option("--hand-over-to", "heir", default="", metavar="EMAIL", help="Whose the jobs become; else they end.")
@click.option("--keep-keys-for-others", "keep_keys", is_flag=True, help="Spare keys that it made for other owners.")
@click.option("--dry-run", is_flag=True, help="Say what would end, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def disable(email: str, heir: str, keep_keys: bool, dry_run: bool, yes: bool) -> None:
    """Let somebody in no more, and end all that the account holds: keys, sessions, sockets, links, jobs.

    Lists what ends, and asks. Keys end that are the account's own or that it made.
    """
    user = administration.find(email)
    found = leaving.preview(administration.departure(user, heir, keep_keys=keep_keys))
    click.echo("\n".join(["Ends:", *map(str, found)] if found else ["It holds nothing that would end."]))
    if dry_run:
        return
    if not yes:
        click.confirm(f"Disable {user.email}?", abort=True, err=True)
    administration.disable(user, heir, keep_keys=keep_keys)
    click.echo(f"{email} is disabled.")


@group.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let somebody sign in again."""
    administration.enable(administration.find(email))
    click.echo(f"{email} may sign in again.")


@group.command("set-role")
@click.argument("email")
@click.argument("role", type=click.Choice(store.ROLES))
def set_role(email: str, role: str) -> None:
    """Make somebody an admin or a user."""
    administration.set_role(administration.find(email), role)
    click.echo(f"{email} is {role} now.")


@group.command("reset-factor")
@click.argument("email")
def reset_factor(email: str) -> None:
    """Remove somebody's second factors and recovery codes, whose devices are lost, and end all sessions."""
    administration.reset_factor(administration.find(email))
    click.echo(f"{email} has no second factor now, and is signed out everywhere.")


@group.command("reseal")
def reseal() -> None:
    """Seal the secrets of authenticator apps by today's SECRET_KEY, before SECRET_KEY_FALLBACKS is emptied."""
    click.echo(f"{totp.reseal()} secrets are sealed again.")


@group.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sessions of somebody."""
    administration.sign_out(administration.find(email))
    click.echo(f"{email} is signed out everywhere.")


@group.command()
@click.argument("email")
def unlock(email: str) -> None:
    """Let somebody try passwords again at once, who was wrong too often."""
    administration.unlock(administration.find(email))
    click.echo(f"{email} may try again.")


def _read() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _asked() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _whole(url: str, path: str) -> str:
    settings = current_settings()
    return (url.rstrip("/") or settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}") + path
