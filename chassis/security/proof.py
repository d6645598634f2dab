"""Asks a person again for a password or second factor before the most dangerous actions.

A stolen session, or one that was left open, is therefore less useful. An identity without `proved_at` passes: keys,
the operator and visitors. A feature that manages people sets it and registers its page with `hooks.proof_page`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from chassis.db import clock
from chassis.errors import ProofNeeded
from chassis.security import identity
from chassis.wiring import current_settings

F = TypeVar("F", bound=Callable[..., Any])


def recently_proved(view: F) -> F:
    """Require that the person of a session has proved who they are within RECENT_PROOF_SECONDS.

    Goes below `@app.post` and `@needs`. A page asks for the proof and continues; programs get 401 with the code
    `proof_needed`. Keys pass.
    """

    @wraps(view)
    def proved(*args: Any, **kwargs: Any) -> Any:
        check()
        return view(*args, **kwargs)

    return cast(F, proved)


def check() -> None:
    """Raise ProofNeeded when this request's person has to give proof again."""
    proved_at = identity.current().proved_at
    if proved_at is not None and not is_recent(proved_at):
        raise ProofNeeded("Confirm your identity with your password or second factor.")


def is_recent(proved_at: float) -> bool:
    """Return whether a proof given at that time (Unix seconds) still counts; always when RECENT_PROOF_SECONDS is 0."""
    seconds = current_settings().recent_proof_seconds
    return not seconds or clock.now() - proved_at <= seconds
