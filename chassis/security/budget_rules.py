"""The settings of budgets in force: prices, the calendar, and the budgets of those that have none of their own."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection

from chassis.base import cron
from chassis.base.money import micro
from chassis.db import clock
from chassis.security import budget_store as store
from chassis.security import months
from chassis.security.prices import Prices
from chassis.settings import Settings


class Rules:
    """Prices, the time zone and the currency, and the default budgets in micro-units."""

    def __init__(self, settings: Settings) -> None:
        self.prices, self.zone = Prices(settings), cron.zone(settings.budget_time_zone)
        self.currency, self.has_prices = settings.budget_currency, settings.has_prices
        self.output_tokens = settings.budget_output_tokens
        self._of_key, self._of_account = micro(settings.budget_per_key), micro(settings.budget_per_account)

    def usual(self, subject: str) -> int:
        """Return the budget of a key or an account that has none of its own; 0 is no limit."""
        return self._of_key if subject.startswith("key:") else self._of_account

    def limits(self, conn: Connection, subjects: Collection[str]) -> Mapping[str, int]:
        """Return the budgets of those subjects that have one, in the order of their names."""
        own = store.own_limits(conn, subjects) if subjects else {}
        found = {subject: own.get(subject, self.usual(subject)) for subject in sorted(subjects)}
        return {subject: limit for subject, limit in found.items() if limit}

    def month(self) -> str:
        """Return the month of now."""
        return months.month_of(clock.now(), self.zone)

    def day(self) -> str:
        """Return the day of now."""
        return months.day_of(clock.now(), self.zone)

    def renewal(self, month: str) -> str:
        """Return when a month ends, for people."""
        return datetime.fromtimestamp(months.end_of(month, self.zone), self.zone).strftime("%Y-%m-%d %H:%M %Z")


_rules: Rules | None = None


def configure(settings: Settings) -> None:
    """Use these settings."""
    global _rules
    _rules = Rules(settings)


def rules() -> Rules:
    """Return the settings in force."""
    if _rules is None:
        raise RuntimeError("call configure(settings) first")
    return _rules
