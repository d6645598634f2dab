"""The tests wait for events, with the limit of chassis/tests/patience.py: no sleep, and no limit of their own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.tests.patience import wait_until
from chassis.tests.servers import ROOT

LIMITS = {"timeout", "wait_timeout", "request_timeout"}
WAITS = {"wait", "join", "result", "communicate", "stop"}


def faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the kind of each wait that knows the time instead of the event."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name in ("time.sleep", "sleep"):
            yield call.lineno, "a sleep"
        if any(word.arg in LIMITS and isinstance(word.value, ast.Constant) for word in call.keywords):
            yield call.lineno, "a limit of its own"
        first = call.args[0] if call.args else None
        whole = isinstance(first, ast.Constant) and isinstance(first.value, int | float)
        if whole and name.rpartition(".")[2] in WAITS and not name.startswith("context."):
            yield call.lineno, "a limit of its own"


def searched() -> list[Path]:
    """Return the files that pytest runs; applications of tests, which play slow services, are none of them."""
    folders = [ROOT / "chassis/tests", *ROOT.glob("chassis/parts/*/tests"), *ROOT.glob("app/features/*/tests")]
    found = [path for folder in folders for path in folder.rglob("*.py")]
    return [path for path in found if path.name.startswith("test_") or path.name == "conftest.py"]


def test_every_wait_is_for_an_event_with_the_one_limit():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {kind}"
        for path in searched()
        for line, kind in faults(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["time.sleep(1)", "sleep(0.5)", "process.wait(60)", "thread.join(5)", "run(command, timeout=30)"]
)
def test_what_would_be_found(line):
    assert list(faults(ast.parse(line)))


def test_a_wait_returns_the_first_true_value_and_says_what_did_not_come(monkeypatch):
    values = iter([0, None, "here"])
    assert wait_until(lambda: next(values)) == "here"
    monkeypatch.setattr("chassis.tests.patience.LIMIT_SECONDS", 0.0)
    with pytest.raises(AssertionError, match="the job did not end within 0 s"):
        wait_until(lambda: True, "the job did not end")
