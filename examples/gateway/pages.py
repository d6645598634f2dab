"""The page of the gateway."""

from flask import Blueprint, render_template

from chassis.security import identity

blueprint = Blueprint("gateway", __name__)


@blueprint.get("/gateway")
def page() -> str:
    """Show the backends and the last calls."""
    return render_template("gateway/index.html", admin=identity.current().may(identity.ADMIN))
