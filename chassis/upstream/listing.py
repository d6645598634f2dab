"""The models that an API lists, which is also a check of its health."""

from pydantic import BaseModel, ValidationError

from chassis.base import excerpt
from chassis.upstream.connections import WireLimits
from chassis.upstream.wire import WIRE_ERRORS, Wire

MAX_MODELS, MAX_NAME, MAX_DETAIL = 200, 200, 200
MAX_BYTES = 1_000_000  # of the list


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


def list_models(wire: Wire, seconds: float) -> tuple[list[str], str]:
    """Return the names of an API's models, at most 200, and what is wrong, or "" if the check was good."""
    limits = WireLimits(seconds, seconds, lambda: False)
    try:
        answer = wire.ask("GET", "/models", {"Accept": "application/json"}, b"", limits)
        body = answer.read(MAX_BYTES)
    except WIRE_ERRORS as error:
        return [], excerpt(str(error) or type(error).__name__, MAX_DETAIL)
    if answer.status != 200:
        return [], f"it answered {answer.status}"
    try:
        found = [model.id for model in _Models.model_validate_json(body).data]
    except ValidationError:
        return [], "its list of models cannot be read"
    return [name for name in found if 0 < len(name) <= MAX_NAME and "\0" not in name][:MAX_MODELS], ""
