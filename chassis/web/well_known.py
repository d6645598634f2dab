"""/.well-known/security.txt: whom to tell of a hole (RFC 9116)."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response

from chassis.errors import NotFound
from chassis.security.guard import public
from chassis.wiring import current_settings

blueprint = Blueprint("well_known", __name__, url_prefix="/.well-known")
GOOD_FOR = timedelta(days=180)  # RFC 9116 advises less than a year


@blueprint.get("/security.txt")
@public
def security_txt() -> Response:
    """Say whom to tell, where SECURITY_CONTACT is set."""
    settings = current_settings()
    if not settings.security_contact:
        raise NotFound("No contact is set.")
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: {_uri(contact)}" for contact in settings.security_contact]
    lines += [f"Expires: {(midnight + GOOD_FOR).strftime('%Y-%m-%dT%H:%M:%SZ')}", "Preferred-Languages: en"]
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _uri(contact: str) -> str:
    return contact if contact.startswith(("https:", "mailto:", "tel:")) else f"mailto:{contact}"
