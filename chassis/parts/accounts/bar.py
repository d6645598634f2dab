"""What the rest of the pages knows of accounts: who is signed in, the way out, and where to sign in."""

from urllib.parse import urlencode

from flask import render_template, url_for
from sqlalchemy.exc import SQLAlchemyError

from chassis.parts.accounts.sessions import KIND
from chassis.security import identity


def links() -> str:
    """Return the header's part, as HTML, about the account of whoever looks at the page."""
    try:
        who = identity.current()
    except SQLAlchemyError:  # the page may be the one that says so
        return ""
    return render_template("accounts/bar.html", who=who if who.kind == KIND else None)


def sign_in_url(path: str) -> str:
    """Return where somebody signs in, or goes on with that, who wants to see a path."""
    if gate := identity.current().gate:
        return f"{gate}?{urlencode({'next': path})}"
    return url_for("accounts.sign_in", next=path)
