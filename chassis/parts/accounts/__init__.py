"""Accounts for people: sign-in, sessions, invitations, roles. Without this folder everything else works."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


FIRST = "flask users create-admin EMAIL --generate"


def register(app: "Flask") -> None:
    """Add the pages, the commands, and sessions as a way to be known."""
    from chassis.parts.accounts import (
        admin_pages,
        bar,
        cli,
        doors,
        entry_pages,
        factor_pages,
        leavers,
        pages,
        passkeys,
        proof_pages,
        sessions,
    )
    from chassis.parts.accounts.settings import OidcSettings
    from chassis.security import identity

    known = sessions.known
    kind = identity.Kind(sessions.look_up, known.still_good, known.ends_at, doors.anybody, FIRST)
    identity.add_kind(app, sessions.KIND, kind)
    app.extensions["session_cookie"] = sessions.COOKIE
    own = (pages.blueprint, factor_pages.blueprint, factor_pages.files, proof_pages.blueprint)
    for blueprint in (entry_pages.blueprint, *own, admin_pages.blueprint):
        app.register_blueprint(blueprint)
    app.extensions["proof_page"] = proof_pages.interrupt
    oidc = app.extensions["settings"].section(OidcSettings)
    if oidc.oidc_issuer:
        from chassis.parts.accounts.oidc import pages as oidc_pages

        oidc_pages.install(app, oidc)
    passkeys.load()
    bar.install(app)
    leavers.install(app)
    app.cli.add_command(cli.group)
