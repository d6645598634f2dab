"""Slows down guessing of keys: after several wrong keys, an address is refused.

A key that was valid from that address before stays valid, so that a guesser behind the same router locks out no
active client. A key that is new to the address gets the same answer during that time, whether it is right or wrong.
"""

from chassis.errors import TooManyRequests
from chassis.limits import Rates, limiter
from chassis.security.proxies import limited_as
from chassis.settings import Settings

MAX_KNOWN = 10_000
MESSAGE = "Too many wrong keys from your address: wait a moment."

_rates: Rates = ()
_known: set[tuple[str, str]] = set()  # addresses with the principals seen from them


def configure(settings: Settings) -> None:
    """Set the limit from the settings, and forget the known principals."""
    global _rates
    _rates = settings.auth_failure_limit
    _known.clear()


def judge(address: str, principal: str) -> None:
    """Record the principal of an address' key, empty for a wrong one; raise TooManyRequests to reveal neither."""
    if not _rates or (address, principal) in _known:
        return
    verdict = limiter.take(f"guesses {limited_as(address)}", _rates, look=bool(principal))
    if not verdict.granted:
        raise TooManyRequests(MESSAGE, retry_after_seconds=verdict.wait_seconds)
    if principal:
        if len(_known) >= MAX_KNOWN:
            _known.clear()  # clients are added again when they present their keys
        _known.add((address, principal))
