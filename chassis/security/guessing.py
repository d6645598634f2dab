"""Makes guessing of keys slow: after some wrong ones an address is not asked for more.

A key that was right from that address before goes on to be, so that a guesser behind the same router shuts out nobody
who is at work. One that is new to the address gets the same answer meanwhile whether it is right or wrong.
"""

from chassis.errors import TooManyRequests
from chassis.limits import Rates, limiter
from chassis.security.proxies import limited_as
from chassis.settings import Settings

MAX_KNOWN = 10_000
MESSAGE = "Too many wrong keys from your address: wait a moment."

_rates: Rates = ()
_known: set[tuple[str, str]] = set()  # addresses with the principals that came from them


def configure(settings: Settings) -> None:
    """Take the limit from the settings, and forget who was right."""
    global _rates
    _rates = settings.auth_failure_limit
    _known.clear()


def judge(address: str, principal: str) -> None:
    """Take note of a key from an address, whose (empty when it was wrong); raise TooManyRequests to answer neither."""
    if not _rates or (address, principal) in _known:
        return
    verdict = limiter.take(f"guesses {limited_as(address)}", _rates, look=bool(principal))
    if not verdict.granted:
        raise TooManyRequests(MESSAGE, retry_after_seconds=verdict.wait_seconds)
    if principal:
        if len(_known) >= MAX_KNOWN:
            _known.clear()  # all of them show their keys again
        _known.add((address, principal))
