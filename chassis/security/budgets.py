"""Monthly budgets of keys and accounts: a call reserves what it may cost at most, and is charged what it did cost.

A call by an account's key must fit into the budgets of both. Amounts are integers in micro-units of BUDGET_CURRENCY.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from chassis.base.money import plain
from chassis.base.texts import storable
from chassis.base.times import iso
from chassis.db import clock, db
from chassis.db.faults import may_pass, reason_of
from chassis.db.grouped import Grouped
from chassis.errors import BudgetExceeded
from chassis.observability.metrics import BUDGET_REFUSALS, UPSTREAM_SPEND, UPSTREAM_TOKENS
from chassis.security import budget_alerts, budget_rules, ledger, months, payer
from chassis.security import budget_store as store
from chassis.security.budget_rules import rules
from chassis.security.ledger import Charge, Hold, Refused
from chassis.security.payer import Payer
from chassis.security.prices import Usage

__all__ = ["Payer", "Reservation", "Usage", "charge", "check", "check_room", "release", "reserve"]

log = structlog.get_logger(__name__)
MAX_MODEL_CHARACTERS = 200
CHECK_SECONDS = 1.0
configure = budget_rules.configure


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is held for a call of a payer and a model; without an id the payer has no limit, and nothing is held."""

    id: str
    payer: Payer
    model: str
    month: str


def check(who: Payer | None = None) -> None:
    """Raise BudgetExceeded if nothing is left for the payer (by default the caller), before work is accepted."""
    subjects, month, now = (who or payer.current()).subjects, rules().month(), clock.now()

    def read(conn: Connection) -> Refused | None:
        limits = rules().limits(conn, subjects)
        rows = store.standing(conn, month, limits) if limits else {}
        free = store.lapsed(conn, month, now) if rows else {}
        for subject, row in rows.items():
            reserved = row.reserved - free.get(subject, 0)
            if row.spent + reserved >= limits[subject]:
                return Refused(subject, limits[subject], row.spent, reserved)
        return None

    refused = db.read(read)
    if refused is not None:
        raise _exceeded(refused, month, 1)


def reserve(model: str, usage: Usage, *, lease_seconds: float, who: Payer | None = None) -> Reservation:
    """Hold what a call may cost at most; raise BudgetExceeded if a budget of the payer has no room for it.

    End it with `charge` or `release`. If neither comes before the lease ends, as after a crash, others may use what is
    held. The payer is by default who sent the request, or submitted the job.
    """
    who, month = who or payer.current(), rules().month()
    held = Reservation(uuid.uuid4().hex, who, storable(model)[:MAX_MODEL_CHARACTERS], month)
    limits = db.read(lambda conn: rules().limits(conn, who.subjects)) if who.subjects else {}
    amount = rules().prices.cost(model, usage.bounded())
    if not limits:
        return Reservation("", who, held.model, month)
    wanted = Hold(held.id, month, limits, amount, clock.now() + lease_seconds)
    _ledger.submit(wanted)
    if wanted.refused is not None:
        raise _exceeded(wanted.refused, month, amount)
    return held


def check_room(usages: Mapping[str, Usage]) -> None:
    """Raise BudgetExceeded if the caller's budgets have no room now for what each model may use; holds nothing."""
    check()
    for model, usage in usages.items():
        release(reserve(model, usage, lease_seconds=CHECK_SECONDS))


def charge(held: Reservation, usage: Usage) -> int:
    """Charge what a call used, in place of what was held for it; return the cost in micro-units.

    The answer is there, so this does not fail: what the database refuses for a while is written with the next call.
    """
    usage, model = usage.bounded(), held.model
    cost = rules().prices.cost(model, usage)
    tokens = {"input": usage.input_tokens, "output": usage.output_tokens, "index": usage.index_tokens}
    for kind, number in tokens.items():
        UPSTREAM_TOKENS.labels(rules().prices.label(model), kind).inc(number)
    UPSTREAM_SPEND.labels(rules().prices.label(model)).inc(cost)
    place = {"day": rules().day(), "by_key": held.payer.key, "account": held.payer.account, "model": model}
    row = place | {f"{kind}_tokens": number for kind, number in tokens.items()} | {"calls": 1, "cost": cost}
    _end(Charge(held.id, held.month, held.payer.subjects, cost, row))
    return cost


def release(held: Reservation) -> None:
    """Give back what was held for a call that failed."""
    if held.id:
        _end(Charge(held.id, held.month, held.payer.subjects, 0, None))


def _end(one: Charge) -> None:
    try:
        _ledger.submit(one)
    except SQLAlchemyError as error:
        if may_pass(error):
            _ledger.later(one)
            log.warning("usage_not_stored_yet", reason=reason_of(error))
        else:
            log.exception("usage_not_stored")
    except Exception:
        _ledger.later(one)  # the caller's job was told to end while it waited for the database
        raise


def _write(group: Sequence[Hold | Charge]) -> None:
    blank, now = budget_alerts.line(), clock.now()
    subjects = {name for one in group for name in (one.limits if isinstance(one, Hold) else one.subjects)}

    def work(conn: Connection) -> list[ledger.Alert]:
        found = ledger.write(conn, group, rules().limits(conn, subjects), now)
        budget_alerts.record(conn, found, blank)
        return found

    budget_alerts.tell(db.write(work))


def _exceeded(refused: Refused, month: str, needed: int) -> BudgetExceeded:
    of = "key" if refused.subject.startswith("key:") else "account"
    BUDGET_REFUSALS.labels(of).inc()
    left = max(0, refused.limit - refused.spent - refused.reserved)
    stands = f"{plain(left)} is left, and this may cost {plain(needed)}" if left else "it is used up"
    words = f"The monthly budget of this {of} is {rules().currency} {plain(refused.limit)}: {stands}."
    words += f" It renews at {rules().renewal(month)}."
    details: dict[str, Any] = {"budget": of, "limit": refused.limit, "spent": refused.spent, "left": left}
    details |= {"needed": needed, "currency": rules().currency}
    return BudgetExceeded(words, details=details | {"renews_at": iso(months.end_of(month, rules().zone))})


_ledger: Grouped[Hold | Charge] = Grouped(_write)
