"""Every folder of `examples/` in a fresh clone: copied and removed; and all of them linted and tested side by side.

A clone without examples tries the small one of these tests. Libraries that an example needs are installed for the clone
alone, which needs a network.
"""

import pytest

from chassis.template import examples
from chassis.tests.e2e.faults import refuse
from chassis.tests.servers import ROOT
from chassis.tests.template import layered, small
from chassis.tests.template.clones import clone_of_this, with_our_tools

pytestmark = [pytest.mark.long, pytest.mark.timeout(3_600)]
FOUND = examples.found(ROOT)
LINT = (
    ("ruff", "check", "--no-cache", "."),
    ("ruff", "format", "--check", "--no-cache", "."),
    ("mypy",),
    ("lint-imports",),
    ("flask", "settings", "docs", "--check"),
    ("python", "deploy/audit.py", "code", "secrets", "licences"),
)
SAID = {  # by tests of the chassis, about all features that are there
    "chassis/tests/test_contracts.py",
    "chassis/tests/test_features.py",
    "chassis/tests/test_names.py",
    "chassis/tests/test_patience.py",
    "chassis/tests/db/test_migrations.py",
    "chassis/tests/web/test_hooks.py",
}
TEST = ("python", "-m", "pytest", "-n", "3", "--dist", "loadfile", "-m", "not long")


@pytest.fixture
def clone(tmp_path):
    """Return a clone of this tree; the small example is in one that has none."""
    clone = clone_of_this(tmp_path / "clone")
    if not FOUND:
        small.put_into(clone)
    return clone


def with_examples(clone, names):
    """Copy examples to the features; refuse the test when their libraries cannot be had."""
    needy = [name for name in names if layered.required(clone, name)]
    layered.make(clone) if needy else with_our_tools(clone)
    if needy and not layered.install(clone, needy):
        refuse("the libraries of examples need a network")
    for name in names:
        assert "\nNext:\n" in clone.run("make", "example", f"NAME={name}", seconds=None)
    clone.git("add", "--all")


def check(clone, *tests):
    """Run the parts of `make lint` that read features, and tests."""
    for tool, *options in (*LINT, (*TEST, *tests)):
        clone.run(f".venv/bin/{tool}", *options, seconds=None)


def remove(clone, names):
    """Remove the copies again, which leaves nothing."""
    clone.git("reset", "-q")
    for name in reversed(names):
        clone.run("make", "example", f"NAME={name}", "REMOVE=1", seconds=None)
    assert clone.git("status", "--porcelain", "-uall") == ""


@pytest.mark.parametrize("name", FOUND or [small.NAME])
def test_each_is_copied_and_removed(clone, name):
    with_examples(clone, [name])
    remove(clone, [name])


def test_all_of_them_are_linted_and_tested_side_by_side(clone):
    names = FOUND or [small.NAME]
    with_examples(clone, names)
    check(clone, *(f"app/features/{name}" for name in names), *SAID)
    remove(clone, names)
