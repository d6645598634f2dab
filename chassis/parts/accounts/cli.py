"""`flask users`: manage accounts without a page, including the first admin."""

import sys

import click

from chassis import mail
from chassis.base.times import iso
from chassis.commands import Group
from chassis.errors import AppError, Unavailable
from chassis.parts.accounts import administration, emails, joining, links, mailing, passwords, store, totp
from chassis.security import leaving
from chassis.wiring import current_settings

group = Group("users", help="Create, invite, list and disable accounts.")
role_option = click.option("--role", type=click.Choice(store.ROLES), default=store.USER, show_default=True)
show_option = click.option("--show", is_flag=True, help="Print the link, also when e-mail is on.")
url_option = click.option("--url", default="", help="Base URL of the service; PUBLIC_URL by default.")


@group.command("create-admin")
@click.argument("email")
@click.option("--generate", is_flag=True, help="Generate a password and print it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create_admin(email: str, generate: bool, password_stdin: bool) -> None:
    """Create an admin account; asks for its password unless an option provides it."""
    if generate and password_stdin:
        raise click.UsageError("--generate and --password-stdin cannot be used together.")
    password = passwords.generated() if generate else _read() if password_stdin else _asked()
    joining.create(email, store.ADMIN, password)
    if generate:
        click.echo(password)
    click.echo(f"{email} can now sign in.", err=True)


@group.command("list")
def list_command() -> None:
    """List all accounts, sorted by e-mail."""
    page, seen = 1, 0
    while True:
        found, total = administration.listing(page=page)
        for user in found:
            state = "disabled" if user.disabled_at else "active"
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
@show_option
def invite(email: str, role: str, url: str, show: bool) -> None:
    """Send a link that creates an account, or print it when e-mail is off; it works once."""
    _hand_over(emails.checked(email), links.INVITATION, links.invite(email, role), url, show)


@group.command("reset-link")
@click.argument("email")
@url_option
@show_option
def reset_link(email: str, url: str, show: bool) -> None:
    """Send a link that sets a new password, or print it when e-mail is off; it works once."""
    user = administration.find(email)
    _hand_over(user.email, links.RESET, links.reset(user), url, show)


@group.command("sign-in-link")
@click.argument("email")
@url_option
def sign_in_link(email: str, url: str) -> None:
    """Print a link that signs a person in; it works once, within 15 minutes. For when no other way works."""
    click.echo(_whole(url, links.path(links.SIGN_IN, links.emergency(administration.find(email)))))


@group.command()
@click.argument("email")
@click.option(
    "--hand-over-to",
    "heir",
    default="",
    metavar="EMAIL",
    help="E-mail of the account that takes over jobs, files and rows; without it they are cancelled or deleted.",
)
@click.option(
    "--keep-keys-for-others", "keep_keys", is_flag=True, help="Keep the keys that the account created for other owners."
)
@click.option("--dry-run", is_flag=True, help="Show what would end, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def disable(email: str, heir: str, keep_keys: bool, dry_run: bool, yes: bool) -> None:
    """Disable an account, and end all it holds: keys, sessions, sockets, links, jobs.

    Lists what will end and asks for confirmation. Keys that the account owns or created are revoked.
    """
    user = administration.find(email)
    found = leaving.preview(administration.departure(user, heir, keep_keys=keep_keys))
    click.echo("\n".join(["Ends:", *map(str, found)] if found else ["The account holds nothing that would end."]))
    if dry_run:
        return
    if not yes:
        click.confirm(f"Disable {user.email}?", abort=True, err=True)
    administration.disable(user, heir, keep_keys=keep_keys)
    click.echo(f"{email} is disabled.")


@group.command()
@click.argument("email")
def enable(email: str) -> None:
    """Enable a disabled account."""
    administration.enable(administration.find(email))
    click.echo(f"{email} may sign in again.")


@group.command("set-role")
@click.argument("email")
@click.argument("role", type=click.Choice(store.ROLES))
def set_role(email: str, role: str) -> None:
    """Give an account the role admin or user."""
    administration.set_role(administration.find(email), role)
    click.echo(f"{email} now has the role {role}.")


@group.command("reset-factor")
@click.argument("email")
def reset_factor(email: str) -> None:
    """Remove second factors and recovery codes of an account after a lost device, and end its sessions."""
    administration.reset_factor(administration.find(email))
    click.echo(f"{email} no longer has a second factor, and is signed out everywhere.")


@group.command("reseal")
def reseal() -> None:
    """Encrypt authenticator secrets with the current SECRET_KEY, before emptying SECRET_KEY_FALLBACKS."""
    click.echo(f"{totp.reseal()} secrets are encrypted with the current key.")


@group.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sessions of an account."""
    administration.sign_out(administration.find(email))
    click.echo(f"{email} is signed out everywhere.")


@group.command()
@click.argument("email")
def unlock(email: str) -> None:
    """Unlock an account that is locked after too many wrong passwords."""
    administration.unlock(administration.find(email))
    click.echo(f"{email} can try again.")


def _read() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _asked() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _hand_over(email: str, purpose: str, secret: str, url: str, show: bool) -> None:
    """Send a link; print it when e-mail is off, or when it was not sent."""
    link = _whole(url, links.path(purpose, secret))
    if show or not mail.ready():
        click.echo(link)
        return
    try:
        mailing.send_now(email, purpose, link)
    except AppError as error:
        click.echo(link)
        raise Unavailable(f"The link above was not sent: {error.message}") from None
    click.echo(f"The link was sent to {email}.", err=True)


def _whole(url: str, path: str) -> str:
    settings = current_settings()
    return (url.rstrip("/") or settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}") + path
