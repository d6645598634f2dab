"""Asks a person again, before what does most harm in other hands, for a password or a second factor.

A session that was left open, or stolen, is so worth less. Whose identity has no `proved_at` passes: keys, the operator,
visitors. A feature for people sets it, and has the page that asks: `hooks.proof_page` takes it.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from chassis.errors import ProofNeeded
from chassis.security import identity
from chassis.wiring import current_settings

F = TypeVar("F", bound=Callable[..., Any])


def recently_proved(view: F) -> F:
    """Let a view be used by sessions alone whose person was asked within RECENT_PROOF_SECONDS.

    Goes below `@app.post` and `@needs`. A page asks and goes on from there; programs get 401 with the code
    `proof_needed`.
    """

    @wraps(view)
    def proved(*args: Any, **kwargs: Any) -> Any:
        check()
        return view(*args, **kwargs)

    return cast(F, proved)


def check() -> None:
    """Raise ProofNeeded when the person of this request has to be asked again."""
    proved_at, seconds = identity.current().proved_at, current_settings().recent_proof_seconds
    if proved_at is not None and seconds and time.time() - proved_at > seconds:
        raise ProofNeeded("Confirm your identity with your password or second factor.")
