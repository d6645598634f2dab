"""Shows a secret once, on the page that a form's answer redirects to, so that a reload makes no second one.

The browser carries it there in a cookie that this service has encrypted, and that the page deletes.
"""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from flask import after_this_request, redirect, request
from werkzeug.wrappers import Response

from chassis.db import clock
from chassis.errors import Conflict
from chassis.security import identity, sealing

COOKIE, PURPOSE = "shown_once", "shown once"
SECONDS = 60
NO_STORE = "private, no-store"


def hand_over(target: str, **values: Any) -> Response:
    """Redirect to a page of this service that takes the values: JSON of 1,500 bytes at most."""
    told = {"for": identity.current().owner, "until": clock.now() + SECONDS, "values": values}
    response, path = redirect(target, 303), urlsplit(target).path
    sealed = sealing.seal(json.dumps(told).encode(), PURPOSE)
    kept = {"max_age": SECONDS, "httponly": True, "secure": request.is_secure, "samesite": "Strict"}
    response.set_cookie(COOKIE, sealed, path=path, **kept)  # type: ignore[arg-type]
    response.headers["Cache-Control"] = NO_STORE
    return response


def handed_over() -> dict[str, Any]:
    """Return the values that were handed over to this page, or none; the browser forgets them, and stores no page."""
    sealed = request.cookies.get(COOKIE)
    if not sealed:
        return {}
    after_this_request(_forget)
    with suppress(Conflict):
        told: dict[str, Any] = json.loads(sealing.unseal(sealed, PURPOSE)[0])
        if told["for"] == identity.current().owner and told["until"] > clock.now():
            return dict(told["values"])
    return {}


def _forget(response: Response) -> Response:
    response.delete_cookie(COOKIE, path=request.script_root + request.path)
    response.headers["Cache-Control"] = NO_STORE
    return response
