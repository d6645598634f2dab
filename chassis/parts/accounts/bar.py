"""The account links in the header of every page: who is signed in, the sign-out, and the sign-in."""

from urllib.parse import urlencode

from flask import render_template, url_for
from sqlalchemy.exc import SQLAlchemyError

from chassis.parts.accounts.sessions import KIND
from chassis.security import identity


def links() -> str:
    """Return the header's links for the current identity as HTML."""
    try:
        who = identity.current()
    except SQLAlchemyError:  # this may be the page that reports the database's failure
        return ""
    return render_template("accounts/bar.html", who=who if who.kind == KIND else None)


def sign_in_url(path: str) -> str:
    """Return the URL at which a person signs in, or completes it, in order to see a path."""
    if gate := identity.current().gate:
        return f"{gate}?{urlencode({'next': path})}"
    return url_for("accounts.sign_in", next=path)
