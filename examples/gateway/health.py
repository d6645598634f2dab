"""The health check of a backend: its list of models, which is also where its models are learned."""

from typing import TYPE_CHECKING, Any

import structlog
from pydantic import BaseModel, ValidationError

from app.features.gateway import store
from app.features.gateway.pool import Member
from chassis.base import excerpt
from chassis.db import db
from chassis.upstream import WIRE_ERRORS, WireLimits

if TYPE_CHECKING:
    from app.features.gateway.gateway import Gateway

log = structlog.get_logger(__name__)
MAX_MODELS, MAX_NAME, MAX_DETAIL = 200, 200, 200


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


def check(gateway: "Gateway", member: Member) -> None:
    """Ask a backend for its models, and store what came of it."""
    try:
        models, problem = _ask(gateway, member)
        _note(gateway, member, models, problem)
    except Exception:
        log.exception("gateway_check_error", backend=member.row.name)


def _ask(gateway: "Gateway", member: Member) -> tuple[list[str], str]:
    """Return the models, and what is wrong."""
    seconds = gateway.settings.health_check_timeout_seconds
    try:
        answer = member.wire.ask(
            "GET", "/models", {"Accept": "application/json"}, b"", WireLimits(seconds, seconds, _never)
        )
        body = answer.read()
    except WIRE_ERRORS as error:
        return [], excerpt(str(error) or type(error).__name__, MAX_DETAIL)
    if answer.status != 200:
        return [], f"it answered {answer.status}"
    try:
        found = [model.id for model in _Models.model_validate_json(body).data]
    except ValidationError:
        return [], "its list of models cannot be read"
    return [name for name in found if name and len(name) <= MAX_NAME][:MAX_MODELS], ""


def _note(gateway: "Gateway", member: Member, models: list[str], problem: str) -> None:
    settings, row, breaker = gateway.settings, member.row, member.breaker
    failures = row.failed_checks + 1 if problem else 0
    log.log(30 if problem else 20, "gateway_check", backend=row.name, ok=not problem, detail=problem, failures=failures)
    values: dict[str, Any] = {"failed_checks": failures, "check_detail": problem or "ok"}
    if not problem:
        values["found_models"] = models
        if breaker.checked():
            gateway.store_breaker(member)
    elif failures >= settings.max_consecutive_failures:
        breaker.trip()
        gateway.store_breaker(member)
    db.write(lambda conn: store.change(conn, row.id, values))
    most = settings.max_consecutive_failures
    if settings.auto_deregister_after_failures and db.write(lambda conn: store.remove_failing(conn, row.id, most)):
        log.warning("gateway_deregistered", backend=row.name, failures=failures)


def _never() -> bool:
    return False
