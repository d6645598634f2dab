"""Reports wrong passwords to an account's owner."""

from typing import Any

from chassis.db import clock
from chassis.security import audit
from chassis.security.identity import Identity

LOOK_BACK_SECONDS, LOOKED_AT = 2_592_000, 500
SIGN_IN, LOCK = "account.sign_in", "account.lock"


def failed(who: Identity) -> list[dict[str, Any]]:
    """Return the refused sign-ins since the sign-in before the last one, newest first: each with `at` and `address`.

    At most those of the last 30 days, and of the last 500 audit entries for the account.
    """
    found, signed_in = [], 0
    for line in audit.about(who.name, SIGN_IN, since=clock.now() - LOOK_BACK_SECONDS, limit=LOOKED_AT):
        signed_in += line["result"] == "ok"
        if signed_in == 2:
            break
        if line["result"] == "refused":
            found.append(line)
    return found
