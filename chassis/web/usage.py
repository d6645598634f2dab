"""The current identity's use of its quotas."""

from flask import Blueprint, Response, jsonify
from pydantic import AwareDatetime, BaseModel, Field

from chassis.security import identity, quotas
from chassis.web.openapi.describe import describe

blueprint = Blueprint("usage_api", __name__, url_prefix="/api/usage")


class UsageItem(BaseModel):
    """How it stands with one quota."""

    name: str
    title: str
    unit: str = Field(description="`count` or `bytes`.")
    used: int
    limit: int
    left: int
    resets_at: AwareDatetime | None = Field(description="When the daily count restarts; null for quotas without one.")


class UsageResponse(BaseModel):
    """All quotas that have a limit; none for visitors."""

    owner: str
    items: list[UsageItem]


@blueprint.get("")
@describe(answers={200: UsageResponse})
def show() -> Response:
    """Return the caller's quotas: what is used and what is left."""
    owner = identity.current().owner
    return jsonify(owner=owner, items=[one.as_dict() for one in quotas.usage(owner)])
