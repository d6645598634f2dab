"""Codes of an authenticator app: one every 30 seconds, each valid for a single use (RFC 6238)."""

import base64
import hmac
import secrets
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from chassis.db import clock, db
from chassis.errors import BadRequest
from chassis.parts.accounts import challenges, factor_store
from chassis.parts.accounts.challenges import Use
from chassis.security import sealing
from chassis.security.identity import Identity

SECRET_BYTES = 20  # RFC 4226, section 4
STEP_SECONDS, DIGITS = 30, 6
DRIFT_STEPS = 1  # either way, for wrong clocks and slow typing
SET_UP, SET_UP_SECONDS = "totp", 900
PURPOSE = "totp"
NAME = "Authenticator app"


class Offer(NamedTuple):
    """The data for an authenticator app: a secret to type, and a URL to show as a QR code."""

    secret: str
    url: str


def offer(who: Identity, issuer: str) -> Offer:
    """Return a secret for a new authenticator app; an unconfirmed one is offered again."""
    from pyotp import TOTP

    raw = _offered(who)
    if raw is None:
        raw = secrets.token_bytes(SECRET_BYTES)
        challenges.put(who, SET_UP, sealing.seal(raw, PURPOSE), SET_UP_SECONDS)
    secret = _base32(raw)
    return Offer(secret, TOTP(secret).provisioning_uri(name=who.name, issuer_name=issuer))


def confirmed(who: Identity, code: str) -> dict[str, Any]:
    """Return the factor to store for an app with the offered secret; raise BadRequest for a wrong code.

    The code counts as used.
    """
    raw = _offered(who)
    if raw is None:
        raise BadRequest("That took too long: scan the new code below.", code="challenge_expired")
    step = _step(raw, code, after=0)
    if step is None:
        raise BadRequest("Incorrect code: wait for the next one, and check the device's clock.", code="wrong_code")
    challenges.end(who, SET_UP)
    secret = sealing.seal(raw, PURPOSE)
    return {"kind": factor_store.TOTP, "name": NAME, "secret": secret, "counter": step}


def check(known: list[Row[Any]], code: str) -> Use | None:
    """Return a function that uses a code up, or None when it is wrong or was used before."""
    row = next((factor for factor in known if factor.kind == factor_store.TOTP), None)
    if row is None:
        return None
    raw, earlier_key = sealing.unseal(row.secret, PURPOSE)
    step = _step(raw, code, after=row.counter)
    if step is None:
        return None
    newer, now = {"secret": sealing.seal(raw, PURPOSE)} if earlier_key else {}, clock.now()
    return lambda conn: factor_store.use(conn, row, step, now, **newer)


def reseal() -> int:
    """Seal secrets of earlier SECRET_KEYs with the current one; return their number; raise Conflict if no key fits."""
    rows = db.read(lambda conn: factor_store.of_kind(conn, factor_store.TOTP))
    opened = [(row, *sealing.unseal(row.secret, PURPOSE)) for row in rows]
    newer = [(row, sealing.seal(raw, PURPOSE)) for row, raw, earlier_key in opened if earlier_key]

    def write(conn: Connection) -> int:
        return sum(factor_store.reseal(conn, row, sealed) for row, sealed in newer)

    return db.write(write)


def _offered(who: Identity) -> bytes | None:
    sealed = challenges.get(who, SET_UP)
    return sealing.unseal(sealed, PURPOSE)[0] if sealed else None


def _step(raw: bytes, code: str, *, after: int) -> int | None:
    """Return the time step of a right code that is later than the last one used, or None."""
    typed = "".join(code[:40].split())
    if len(typed) != DIGITS or not typed.isascii() or not typed.isdigit():
        return None
    from pyotp import TOTP

    totp, now = TOTP(_base32(raw)), int(clock.now() // STEP_SECONDS)
    steps = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    right = [step for step in steps if hmac.compare_digest(totp.generate_otp(step), typed)]
    return next((step for step in right if step > after), None)


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode()
