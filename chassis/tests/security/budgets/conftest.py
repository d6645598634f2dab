"""A database with budgets, on SQLite and, where a test asks for it, on PostgreSQL."""

import subprocess
import sys

import pytest

from chassis.db import db
from chassis.security import budget_admin, budgets
from chassis.security.budgets import Payer, Usage
from chassis.settings import Settings
from chassis.tests.conftest import new_database
from chassis.tests.servers import LEAN, ROOT

ADA, KEY = "ada@example.org", "key:env-0001"
BOTH = Payer(KEY, ADA)
MODEL = "acme/small"
PRICES = {"price_per_mtok_input": "1", "price_per_mtok_output": "2", "price_per_mtok_index": "0.5"}


@pytest.fixture
def budgeted(tmp_path):
    """Return a function that opens the database with prices of 1 and 2 a token, in micro-units, and other settings."""
    url = new_database(tmp_path)

    def start(**settings):
        made = Settings(database_url=url, **{**PRICES, **settings})
        db.open(made)
        budgets.configure(made)
        return made

    start()
    yield start
    db.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_url(request, tmp_path):
    """The URL of a migrated database of each kind in turn."""
    if request.param == "sqlite":
        return new_database(tmp_path)
    url = request.getfixturevalue("postgres_url")
    env = {**LEAN, "APP_ENV": "test", "DATABASE_URL": url}
    subprocess.run([sys.executable, "-m", "chassis.boot"], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
    return url


def held(who=BOTH, tokens=10, lease_seconds=60.0, model=MODEL):
    """Reserve for a call with so many tokens of input."""
    return budgets.reserve(model, Usage(tokens), lease_seconds=lease_seconds, who=who)


def stands(subject):
    """Return (spent, reserved, left) of a budget."""
    (one,) = budget_admin.standings(subject)
    return one.spent, one.reserved, one.left
