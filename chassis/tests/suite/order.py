"""A pytest plugin for the order of the tests (TEST_ORDER, TEST_SEED)."""

import os
import random
from itertools import groupby

import pytest

FIRST = ("test_soak", "test_ceiling")  # modules that take longest: whatever begins last is waited for at the end


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests into the chosen order; a module's tests stay together and share its server."""
    modules = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    items[:] = [item for tests in ordered(modules) for item in tests]


def ordered(modules: list[list[pytest.Item]]) -> list[list[pytest.Item]]:
    """Return the modules, and the tests of each, in the order of TEST_ORDER."""
    order = os.environ.get("TEST_ORDER") or "listed"
    if order == "listed":
        return sorted(modules, key=lambda tests: tests[0].path.stem not in FIRST)
    if order == "reversed":
        return [tests[::-1] for tests in reversed(modules)]
    if order != "random":
        raise pytest.UsageError(f"TEST_ORDER is {order!r}: listed, reversed or random")
    chance = random.Random(os.environ.get("TEST_SEED", "0"))
    mixed = [chance.sample(tests, len(tests)) for tests in modules]
    return chance.sample(mixed, len(mixed))
