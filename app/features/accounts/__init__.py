"""Accounts for people: sign-in, sessions, invitations, roles. Without this folder everything else works."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: "Flask") -> None:
    """Add the pages, the commands, and sessions as a way to be known."""
    from app.features.accounts import admin_pages, bar, cli, entry_pages, factor_pages, pages, proof_pages, sessions
    from app.security import identity

    identity.add_kind(app, sessions.KIND, identity.Kind(sessions.look_up, sessions.known.still_good))
    app.extensions["session_cookie"] = sessions.COOKIE
    own = (pages.blueprint, factor_pages.blueprint, factor_pages.files, proof_pages.blueprint)
    for blueprint in (entry_pages.blueprint, *own, admin_pages.blueprint):
        app.register_blueprint(blueprint)
    app.extensions["proof_page"] = proof_pages.interrupt
    bar.install(app)
    app.cli.add_command(cli.group)
