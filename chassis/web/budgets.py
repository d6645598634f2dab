"""The monthly budgets of keys and accounts, for admins."""

from flask import Blueprint, jsonify
from pydantic import AwareDatetime, BaseModel, Field
from werkzeug.wrappers import Response

from chassis.base.money import MOST
from chassis.security import budget_admin
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.security.payer import subject_of
from chassis.security.proof import recently_proved
from chassis.web.body import json_body, query_parameters
from chassis.web.openapi.describe import describe
from chassis.web.paging import Page, Paging

blueprint = Blueprint("budgets_api", __name__, url_prefix="/api/admin/budgets")
SUBJECT = "<string(minlength=1,maxlength=200):subject>"


class BudgetItem(BaseModel):
    """How a budget stands this month; amounts are integers in millionths of the currency."""

    subject: str = Field(description="A key, as `key:ID`, or an account.")
    limit: int = Field(description="What may be spent in a month; 0 means no limit.")
    spent: int
    reserved: int = Field(description="What calls that run may cost.")
    left: int | None = Field(description="What the next call may cost; null without a limit.")
    month: str = Field(description="Such as 2026-11.")
    own: bool = Field(description="Whether it was set for this subject; otherwise it is the default of the settings.")
    currency: str
    renews_at: AwareDatetime


class BudgetPage(Page[BudgetItem]):
    """A page of the budgets that were set or used this month, by subject."""


class BudgetChange(BaseModel):
    """A new budget."""

    limit: int | None = Field(
        ge=0,
        le=MOST,
        description="What may be spent in each month, in millionths of the currency: 0 means no limit, and null the "
        "default of the settings.",
    )


@blueprint.get("")
@needs(ADMIN)
@describe(query=Paging, answers={200: BudgetPage})
def listing() -> Response:
    """Return the budgets that were set or used this month."""
    asked, found = query_parameters(Paging), budget_admin.listing()
    begin = (asked.page - 1) * asked.per_page
    items = [one.as_dict() for one in found[begin : begin + asked.per_page]]
    return jsonify(items=items, page=asked.page, per_page=asked.per_page, total=len(found))


@blueprint.get(f"/{SUBJECT}")
@needs(ADMIN)
@describe(answers={200: BudgetItem})
def show(subject: str) -> Response:
    """Return the budget of a key (`key:ID` or `ak_ID`) or an account."""
    return jsonify(budget_admin.standings(subject_of(subject))[0].as_dict())


@blueprint.post(f"/{SUBJECT}")
@needs(ADMIN)
@recently_proved
@describe(body=BudgetChange, answers={200: BudgetItem, 404: "There is no such key."})
def change(subject: str) -> Response:
    """Set the budget of a key or an account; calls that run are not affected."""
    return jsonify(budget_admin.set_limit(subject_of(subject), json_body(BudgetChange).limit).as_dict())
