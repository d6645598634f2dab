"""A pytest plugin for runs on PostgreSQL (TEST_DATABASE=postgres): it chooses the tests by what they use.

A test is chosen when it, its fixtures, or functions of the tests that those call ask for a database, and none of them
names SQLite or starts a PostgreSQL, as some do in every run. A chosen test that opens a file of SQLite all the same
fails, so nothing runs on the wrong database. Tests with a browser, and those of rooms that cannot import `chassis.db`,
would only repeat what they show on SQLite.
"""

import ast
import contextlib
import inspect
import os
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ASKS = {"new_database", "serve", "serving", "shared_with"}
STARTS = {"own_postgres", "postgres_server"}
NAMES_SQLITE = ("sqlite", "app.db", "pragma")
GIVES = {  # modules whose functions give the database that is asked for, of either kind
    *("chassis.tests.conftest", "chassis.tests.postgres", "chassis.tests.servers", "chassis.tests.services"),
    *("chassis.tests.suite.database", "chassis.tests.suite.sharing"),
}
ON_POSTGRES = os.environ.get("TEST_DATABASE") == "postgres"
LEFT_OUT = pytest.StashKey[dict[str, int]]()
SERVER = pytest.StashKey[contextlib.ExitStack]()


@cache
def rooms_without_database() -> set[str]:
    """Return the rooms of the chassis that the contract in pyproject.toml keeps from importing `chassis.db`."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one.get("containers") == ["chassis"])
    below = layers[layers.index("db") + 1 :]
    return {room.strip() for layer in below for room in layer.split("|")}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the folders of those rooms' tests; None lets others decide."""
    tests = ROOT / "chassis/tests"
    below = collection_path.parent == tests and collection_path.name in rooms_without_database()
    return True if ON_POSTGRES and below else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that show nothing about PostgreSQL, and remember how many."""
    if not ON_POSTGRES:
        return
    verdicts = [(item, verdict(item)) for item in items]
    left_out = [item for item, why in verdicts if why]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item, why in verdicts if not why]
    reasons = [why for _, why in verdicts if why]
    config.stash[LEFT_OUT] = {why: reasons.count(why) for why in sorted(set(reasons))}


def pytest_configure(config: pytest.Config) -> None:
    """Start the server of the run, with a migrated database to copy; the processes of the run share it."""
    if not ON_POSTGRES or "TEST_POSTGRES" in os.environ or config.option.collectonly:
        return
    from chassis.tests import postgres

    with contextlib.ExitStack() as stack:
        os.environ["TEST_POSTGRES"] = stack.enter_context(postgres.running(connections=600)).url
        postgres.make_template()
        config.stash[SERVER] = stack.pop_all()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop that server."""
    if SERVER in config.stash:
        config.stash[SERVER].close()
        del os.environ["TEST_POSTGRES"]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that writes the report what was left out."""
    if output := getattr(session.config, "workeroutput", None):
        output["left_out"] = session.config.stash.get(LEFT_OUT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take that from a process of a parallel run; all of them left out the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many tests were left out, and why."""
    for why, number in config.stash.get(LEFT_OUT, {}).items():
        terminalreporter.write_line(f"not on PostgreSQL: {number} tests that {why}")


@pytest.fixture(autouse=True)
def _no_sqlite() -> Iterator[None]:
    with without_sqlite() if ON_POSTGRES else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def without_sqlite() -> Iterator[None]:
    """Fail when what runs within opens a file of SQLite."""
    from chassis.db.database import Database

    opened, before = [], Database.open

    def open(self: Any, settings: Any) -> None:
        if settings.sqlite_path is not None:
            opened.append(settings.sqlite_path)
        before(self, settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "open", open)
        yield
    assert not opened, f"this test was chosen for PostgreSQL and opened {opened[0]}"


def verdict(item: Any) -> str | None:
    """Return why a test does not run on PostgreSQL, as the end of a sentence, or None."""
    info = getattr(item, "_fixtureinfo", None)
    found = info.name2fixturedefs if info else {}
    if "page" in found:
        return "drive a browser"
    asks, starts, names_sqlite = False, False, False
    for function in reached([getattr(item, "obj", None), *[defined[-1].func for defined in found.values()]]):
        words, text = read(function)
        asks = asks or bool(words & ASKS) or function.__name__ in ASKS
        starts = starts or bool(words & STARTS) or function.__name__ in STARTS
        names_sqlite = names_sqlite or any(name in text for name in NAMES_SQLITE)
    if starts:
        return "start PostgreSQL in every run"
    if not asks:
        return "use no database"
    return "are about SQLite" if names_sqlite else None


def reached(roots: list[Any]) -> Iterator[Callable[..., Any]]:
    """Yield the functions and those that they call by name, except what gives the database."""
    waiting, seen = [inspect.unwrap(root) for root in roots if callable(root)], set()
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        yield function
        if function.__module__ not in GIVES:
            waiting += called(function)


def called(function: FunctionType) -> Iterator[Any]:
    """Yield the functions of the tests that a function names: of its module, and of modules that it imported."""
    words, _ = read(function)
    for word in words:
        found = function.__globals__.get(word)
        if isinstance(found, ModuleType) and "tests" in found.__name__:
            yield from (one for name, one in vars(found).items() if name in words)
        elif "tests" in str(getattr(found, "__module__", "")):
            yield from methods(found) if inspect.isclass(found) else [inspect.unwrap(found)]


def methods(found: type) -> list[Any]:
    return [one for one in vars(found).values() if isinstance(one, FunctionType)]


@cache
def read(function: Callable[..., Any]) -> tuple[set[str], str]:
    """Return the names in a function's source, and its text in lower case."""
    if function.__module__ in GIVES:
        return {function.__name__}, ""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError):
        return set(), ""
    names = named(tree)
    for name in names & constants(function.__module__).keys():
        constant = constants(function.__module__)[name]
        names, text = names | named(constant), f"{text}\n{ast.unparse(constant)}"
    return names, text.lower()


@cache
def constants(module: str) -> dict[str, ast.stmt]:
    """Return the assignments of a module by name, such as the cases of its tests."""
    found = [node for node in ast.parse(inspect.getsource(sys.modules[module])).body if isinstance(node, ast.Assign)]
    return {target.id: node for node in found for target in node.targets if isinstance(target, ast.Name)}


def named(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
