"""Accounts for people: sign-in, sessions, invitations and roles. Everything else works without this folder."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


FIRST = "flask users create-admin EMAIL --generate"


def register(hooks: "Hooks") -> None:
    """Register the pages, the commands, and sessions as a kind of identity."""
    from chassis.parts.accounts import (
        admin_pages,
        bar,
        cli,
        directory,
        doors,
        entry_pages,
        factor_pages,
        leavers,
        pages,
        passkeys,
        proof_pages,
        seed,
        sessions,
        store,
    )
    from chassis.parts.accounts.settings import OidcSettings
    from chassis.security import identity

    known = sessions.known
    kind = identity.Kind(sessions.look_up, known.still_good, known.ends_at, doors.anybody, FIRST)
    hooks.identity(sessions.KIND, kind)
    hooks.session_cookie(sessions.COOKIE)
    own = (pages.blueprint, factor_pages.blueprint, proof_pages.blueprint)
    hooks.pages(entry_pages.blueprint, *own, admin_pages.blueprint)
    hooks.admin_page("Accounts", "/admin/accounts")
    hooks.header(bar.links)
    hooks.sign_in_url(bar.sign_in_url)
    hooks.proof_page(proof_pages.interrupt)
    hooks.leaving(*leavers.PARTS)
    hooks.people(store.states_of)
    hooks.directory(directory.find)
    hooks.commands(cli.group)
    hooks.seed(seed.make)
    passkeys.load()
    oidc = hooks.settings.section(OidcSettings)
    if oidc.oidc_issuer:
        from chassis.parts.accounts.oidc import pages as oidc_pages

        oidc_pages.install(hooks, oidc)
