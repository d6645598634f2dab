"""The current identity's use of its quotas and budgets."""

from flask import Blueprint, Response, jsonify
from pydantic import AwareDatetime, BaseModel, Field

from chassis.security import budget_admin, identity, payer, quotas, spending
from chassis.web.budgets import BudgetItem
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


class ModelUsage(BaseModel):
    """What calls of a model used this month."""

    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    index_tokens: int = Field(description="Of texts that were embedded.")
    cost: int = Field(description="In millionths of the currency.")


class UsageResponse(BaseModel):
    """All quotas that have a limit, the budgets of the key and the account, and their calls; none for visitors."""

    owner: str
    items: list[UsageItem]
    budgets: list[BudgetItem]
    models: list[ModelUsage]


@blueprint.get("")
@describe(answers={200: UsageResponse})
def show() -> Response:
    """Return the caller's quotas and budgets: what is used and what is left."""
    owner, subjects = identity.current().owner, payer.current().subjects
    budgets = [one.as_dict() for one in budget_admin.standings(*subjects)]
    items = [one.as_dict() for one in quotas.usage(owner)]
    return jsonify(owner=owner, items=items, budgets=budgets, models=spending.of_month(*subjects))
