"""What calls of models cost, and how much a key or an account may spend in a month."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from chassis.settings.section import Problem, Section
from chassis.settings.types import CommaList, TimeZone

PRICED = re.compile(
    r"([^=\s]{1,200})=(\d{1,7}(?:\.\d{1,6})?)(?:/(\d{1,7}(?:\.\d{1,6})?))?(?:/(\d{1,7}(?:\.\d{1,6})?))?"
)
ModelPrices = tuple[str, tuple[Decimal, Decimal, Decimal]]


def priced(text: str) -> ModelPrices:
    """Return a model and its prices for input, output and index; raise ValueError with a sentence."""
    found = PRICED.fullmatch(text)
    if not found:
        raise ValueError(f"holds {text!r}, which is not a model with its prices such as acme/small=0.15/0.60")
    numbers = [Decimal(part or 0) for part in found.groups()[1:]]
    return found[1], (numbers[0], numbers[1], numbers[2])


def _checked(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        priced(text)
    return texts


Price = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]
Amount = Annotated[Decimal, Field(ge=0, le=100_000_000, decimal_places=6)]


class BudgetSettings(Section):
    """Budgets"""

    price_per_mtok_input: Price = Field(Decimal(0), description="Price of a million tokens of input.")
    price_per_mtok_output: Price = Field(Decimal(0), description="Price of a million tokens of output.")
    price_per_mtok_index: Price = Field(
        Decimal(0), description="Price of a million tokens that are embedded for a search index."
    )
    model_prices: Annotated[CommaList, AfterValidator(_checked)] = Field(
        (),
        description="Prices of single models per million tokens, as `model=input/output/index`, for example "
        "`acme/small=0.15/0.60`; others have the three prices above.",
    )
    budget_currency: str = Field("USD", min_length=1, max_length=10, description="The currency of prices and budgets.")
    budget_per_key: Amount = Field(
        Decimal(0), description="Monthly budget of each key that has none of its own; 0 means no limit."
    )
    budget_per_account: Amount = Field(
        Decimal(0), description="Monthly budget of each account that has none of its own; 0 means no limit."
    )
    budget_time_zone: TimeZone = Field("UTC", description="The time zone in which months and days of spending begin.")
    budget_output_tokens: int = Field(
        1_000,
        ge=1,
        le=1_000_000,
        description="Tokens of output that are reserved for a call that sets no maximum of its own.",
    )
    retention_usage_days: float = Field(
        400, ge=0, description="How long the usage of each day is kept; 0 keeps it forever."
    )

    @property
    def prices_of_models(self) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
        """Return MODEL_PRICES by model: input, output, index."""
        return dict(priced(text) for text in self.model_prices)

    @property
    def has_prices(self) -> bool:
        """Return whether anything has a price."""
        every = [self.price_per_mtok_input, self.price_per_mtok_output, self.price_per_mtok_index]
        return any(every) or any(any(prices) for prices in self.prices_of_models.values())

    def problems(self) -> Iterable[Problem]:
        """Refuse budgets that nothing would ever reach."""
        if (self.budget_per_key or self.budget_per_account) and not self.has_prices:
            name = "BUDGET_PER_KEY" if self.budget_per_key else "BUDGET_PER_ACCOUNT"
            yield name, "limits nothing while all prices are 0: set PRICE_PER_MTOK_INPUT and PRICE_PER_MTOK_OUTPUT"
