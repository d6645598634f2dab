"""Accounts for people: sign-in, sessions, invitations, roles. Without this folder everything else works."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: "Flask") -> None:
    """Add the pages, the commands, and sessions as a way to be known."""
    from app.features.accounts import admin_pages, bar, cli, entry_pages, pages, sessions
    from app.security import identity

    known = sessions.known
    identity.add_kind(app, sessions.KIND, identity.Kind(sessions.look_up, known.still_good, known.ends_at))
    app.extensions["session_cookie"] = sessions.COOKIE
    for blueprint in (entry_pages.blueprint, pages.blueprint, admin_pages.blueprint):
        app.register_blueprint(blueprint)
    bar.install(app)
    app.cli.add_command(cli.group)
