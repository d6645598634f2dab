"""Checks who can get in: secrets in sight, open doors, keys and the user of the process."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from chassis.cli.weakness import Weakness
from chassis.observability.redaction import SECRET_NAMES, secret_values
from chassis.security import identity, keyring, keys, stale_keys
from chassis.settings import Settings
from chassis.settings.networks import covers_internet
from chassis.wiring import current_wiring

LEAST_SHOWN = 16  # shorter secrets than this also match other programs' command lines
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - only compared with


def secrets_in_sight(settings: Settings) -> Iterator[Weakness]:
    """Look for secrets in URLs without encryption and in command lines, which `ps` shows."""
    url = urlsplit(settings.upstream_base_url)
    if url.username or url.password or any(SECRET_NAMES.search(name) for name, _ in parse_qsl(url.query)):
        yield Weakness("UPSTREAM_BASE_URL", "contains a secret", "Move the key to OPENROUTER_API_KEY.")
    snapshot = urlsplit(settings.database_snapshot_url.get_secret_value())
    secret = snapshot.password or any(SECRET_NAMES.search(name) for name, _ in parse_qsl(snapshot.query))
    if secret and snapshot.scheme == "http":
        yield Weakness("DATABASE_SNAPSHOT_URL", "sends its secret unencrypted", "Use https.")
    if secret and "DATABASE_SNAPSHOT_URL" in os.environ:
        yield Weakness(
            "DATABASE_SNAPSHOT_URL",
            "contains a secret",
            "Put it in a file, and set DATABASE_SNAPSHOT_URL_FILE to its path.",
        )
    for pid in _processes_that_show([s for s in secret_values(settings) if len(s) >= LEAST_SHOWN]):
        yield Weakness(
            f"process {pid}", "shows a secret in its command line", "Pass it in the environment or in a file."
        )


def debugging(settings: Settings) -> Iterator[Weakness]:
    """Look for debugging features that help an attacker."""
    if settings.production and current_app.debug:
        yield Weakness("FLASK_DEBUG", "is on in production", "Unset FLASK_DEBUG.")
    if "*" in settings.cors_origins:
        yield Weakness(
            "CORS_ORIGINS", "lets the pages of any site use this service", "List the origins, or leave it empty."
        )


def doors(settings: Settings) -> Iterator[Weakness]:
    """Check access without a key, open networks and missing host names in production."""
    if not settings.production:
        return
    if not settings.guarded:
        yield Weakness(
            "REQUIRE_CLIENT_API_KEY", "is off: anyone may submit", "Unset it; for read-only visitors set PUBLIC_READ."
        )
    for name, networks in (("METRICS_ALLOW", settings.metrics_allow), ("ADMIN_ALLOW", settings.admin_allow)):
        if covers_internet(networks):
            yield Weakness(name, "is open to the whole internet", f"Set {name} to the networks of your operators.")
    if settings.host in EVERYWHERE and not settings.trusted_proxies:
        advice = "List the proxy in TRUSTED_PROXIES, or set HOST=127.0.0.1 if the proxy is on this machine."
        yield Weakness(
            "HOST", "listens everywhere and no proxy is trusted: TLS and client addresses are unknown", advice
        )
    if not settings.public_url:
        advice = "Set PUBLIC_URL, and list any other names of the service in ALLOWED_HOSTS."
        answers = "the service accepts any host name, and " if not settings.allowed_hosts else ""
        yield Weakness("PUBLIC_URL", f"is empty: {answers}links in invitations have no host", advice)
    if "*" in settings.allowed_hosts:
        yield Weakness("ALLOWED_HOSTS", "lets the service accept any host name", "List the service's names.")
    if not settings.security_contact:
        yield Weakness(
            "SECURITY_CONTACT", "is empty: nobody knows where to report a vulnerability", "Set it to an e-mail address."
        )


def somebody_can_enter(settings: Settings) -> Iterator[Weakness]:
    """Check that at least one valid key or account exists."""
    if not settings.guarded or settings.admin_api_key.get_secret_value() or settings.client_keys:
        return
    others = [kind for name, kind in current_wiring().identities.items() if name != keyring.KEY]
    if not _has_good_key() and not any(_has_anybody(kind) for kind in others):
        missing = "is empty, and there is no key" + (" and no account" if others else "")
        commands = ["flask keys create operator --scope admin", *(kind.first for kind in others if kind.first)]
        yield Weakness("ADMIN_API_KEY", missing, "  or  ".join(commands))


def unneeded_keys(settings: Settings) -> Iterator[Weakness]:
    """Look for keys that were unused for a long time, or whose makers have left."""
    if settings.sqlite_path and not settings.sqlite_path.exists():
        return
    try:
        found = stale_keys.reasons()
    except SQLAlchemyError:  # there is no table yet, which `database` reports
        return
    for key_id, reason in found.items():
        yield Weakness(f"key {keys.PREFIX}_{key_id}", reason, f"flask keys revoke {keys.PREFIX}_{key_id}")


def user(settings: Settings) -> Iterator[Weakness]:
    """Check the rights that an attacker would gain with this process's user."""
    if settings.production and os.geteuid() == 0:
        yield Weakness("user", "is root", "Run the service, and this command, as a dedicated user (docs/deploy.md).")


def _has_anybody(kind: identity.Kind) -> bool:
    try:
        return kind.anybody()
    except SQLAlchemyError:  # there is no table yet
        return False


def _has_good_key() -> bool:
    try:
        return any(key["state"] == "good" for key in keys.listing())
    except SQLAlchemyError:  # there is no table yet
        return False


def _processes_that_show(secrets: list[str]) -> Iterator[int]:
    """Yield the processes whose command line, which every user can see, contains a secret; nothing without /proc."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode(errors="replace")
        except OSError:
            continue  # the process has ended
        if any(secret in line for secret in secrets):
            yield int(path.parent.name)
