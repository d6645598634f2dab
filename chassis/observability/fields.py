"""Fields of every log line, bound faster than structlog does it."""

from contextvars import Context, ContextVar
from typing import Any

from structlog.contextvars import bind_contextvars


def field(name: str) -> ContextVar[Any]:
    """Return the variable that `bind_contextvars(name=...)` sets; to set it takes a third of the time."""
    context = Context()
    context.run(bind_contextvars, **{name: ""})
    (variable,) = context
    return variable
