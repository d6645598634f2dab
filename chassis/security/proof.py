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
    """Raise ProofNeeded when the person of this request has to be asked again."""
    proved_at, seconds = identity.current().proved_at, current_settings().recent_proof_seconds
    if proved_at is not None and seconds and time.time() - proved_at > seconds:
        raise ProofNeeded("Show again that it is you, with your password or second factor.")
