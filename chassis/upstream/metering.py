"""Charges calls of the outside API to whoever they are made for."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from chassis.security import budgets
from chassis.security.budget_rules import rules
from chassis.security.budgets import Usage
from chassis.upstream.errors import UpstreamError
from chassis.upstream.usage import Usage as Tokens

if TYPE_CHECKING:
    from chassis.upstream.relayed import Relayed

BYTES_PER_TOKEN = 4  # of an answer whose API tells no usage
LEASE_SECONDS = 300.0  # beside the time that a call may take: it may wait for its turn


class Meter:
    """Takes what one call has used; the last word counts, and nothing is charged without one."""

    def __init__(self, input_bytes: int) -> None:
        self._input_bytes = input_bytes
        self.usage: Usage | None = None

    def used(self, tokens: Tokens, *, output_bytes: int) -> None:
        """Take the usage that an answer tells, or an estimate from the sizes where it tells none."""
        self.usage = _charged(tokens) or Usage(_tokens(self._input_bytes), _tokens(output_bytes))

    def indexed(self, tokens: Tokens) -> None:
        """Take the usage of texts that were embedded, or an estimate."""
        told = tokens.prompt_tokens
        self.usage = Usage(index_tokens=_tokens(self._input_bytes) if told is None else told)


def usage_of(answer: "Relayed", input_bytes: int) -> Usage | None:
    """Return what to charge for an answer that was passed on: what it tells, or an estimate; None without a text."""
    if not answer.text_bytes:
        return None
    meter = Meter(input_bytes)
    if answer.embeds:
        meter.indexed(answer.usage)
    else:
        meter.used(answer.usage, output_bytes=answer.text_bytes)
    return meter.usage and meter.usage.bounded()


class Metering(Protocol):
    """A function of a model, the bytes of its input, the seconds that the call may take and its maximum of output."""

    def __call__(
        self, model: str, input_bytes: int, seconds: float, output_tokens: int | None = None, *, index: bool = False
    ) -> AbstractContextManager[Meter]: ...


def unmetered(
    model: str, input_bytes: int, seconds: float, output_tokens: int | None = None, *, index: bool = False
) -> AbstractContextManager[Meter]:
    """Charge nobody."""
    return nullcontext(Meter(input_bytes))


@contextmanager
def metered(
    model: str, input_bytes: int, seconds: float, output_tokens: int | None = None, *, index: bool = False
) -> Iterator[Meter]:
    """Reserve what a call may cost, and charge what its meter says at the end; without that, give all of it back.

    A token has at least one byte, so the input is never reserved too low. `output_tokens` is the call's own maximum;
    a call for an `index` has no output.
    Raises BudgetExceeded before the call.
    """
    usual = Usage(input_bytes, output_tokens or rules().output_tokens)
    most = Usage(index_tokens=input_bytes) if index else usual
    held, meter = budgets.reserve(model, most, lease_seconds=seconds + LEASE_SECONDS), Meter(input_bytes)
    try:
        yield meter
    except UpstreamError as error:
        # An answer that was cut or filtered costs what a good one does.
        meter.usage = _charged(error.usage) or meter.usage
        raise
    finally:
        if meter.usage is None:
            budgets.release(held)
        else:
            budgets.charge(held, meter.usage)


def _charged(tokens: Tokens) -> Usage | None:
    if tokens.prompt_tokens is None and tokens.completion_tokens is None:
        return None
    return Usage(tokens.prompt_tokens or 0, tokens.completion_tokens or 0)


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)
