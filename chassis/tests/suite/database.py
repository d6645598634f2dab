"""A pytest plugin for runs on PostgreSQL (TEST_DATABASE=postgres): it chooses the tests by what they use.

A test is chosen when it, its fixtures, or functions of the tests that those call ask for a database, and none of them
names SQLite or starts a PostgreSQL, as some do in every run. A chosen test that opens a file of SQLite all the same
fails, so nothing runs on the wrong database. Tests with a browser, and those of rooms that cannot import `chassis.db`,
would only repeat what they show on SQLite.
"""

import contextlib
import inspect
import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
ASKS = {"copied_database", "new_database", "serve", "serving", "shared_with"}
STARTS = {"own_postgres", "postgres_server"}
NAMES_SQLITE = ("sqlite", "app.db", "pragma")
GIVES = {  # modules whose functions give the database that is asked for, of either kind
    *("chassis.tests.conftest", "chassis.tests.postgres", "chassis.tests.servers", "chassis.tests.services"),
    *("chassis.tests.suite.database", "chassis.tests.suite.feature", "chassis.tests.suite.sharing"),
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
    of_room = ON_POSTGRES and collection_path.parent == ROOT / "chassis/tests"
    return True if of_room and collection_path.name in rooms_without_database() else None


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

    if not postgres.installed():
        pytest.exit("PostgreSQL is not installed (apt-get install postgresql)", int(os.environ.get("CI") == "true"))
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
def _on_postgres(request: pytest.FixtureRequest) -> Iterator[None]:
    if not ON_POSTGRES:
        yield
        return
    from chassis.tests import postgres

    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    with without_sqlite():
        yield
    if folder is not None:
        postgres.forget(folder)


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
    functions = list(reached([getattr(item, "obj", None), *[defined[-1].func for defined in found.values()]]))
    readings = [read(function) for function in functions]
    names = {function.__name__ for function in functions}.union(*[one.names for one in readings])
    texts = [*[text for one in readings for text in one.texts], *cases(item)]
    if names & STARTS:
        return "start PostgreSQL in every run"
    if not names & ASKS:
        return "use no database"
    if any(name in text.lower() for text in texts for name in NAMES_SQLITE):
        return "are about SQLite"
    outside = of_the_chassis(item) and not any(one.inside for one in readings)
    return "see the service only from outside" if outside else None


def of_the_chassis(item: Any) -> bool:
    """Return whether a test is of the chassis itself, not of a part or a feature, whose routes have statements too."""
    return (ROOT / "chassis/tests") in getattr(item, "path", ROOT).parents


@dataclass
class Reading:
    """What a function names: names, texts, functions of the tests, and whether something that can ask the database."""

    names: set[str]
    texts: list[str]
    called: list[Any]
    inside: bool


def cases(item: Any) -> list[str]:
    """Return the texts among the values with which a test is repeated."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    return [text for value in params.values() for text in within(value) if isinstance(text, str)]


def reached(roots: list[Any]) -> Iterator[Callable[..., Any]]:
    """Yield the functions and those that they call by name, except what gives the database."""
    waiting, seen = [inspect.unwrap(root) for root in roots if callable(root)], set()
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        yield function
        waiting += read(function).called


@cache
def read(function: FunctionType) -> Reading:
    """Return what a function names."""
    if function.__module__ in GIVES:
        return Reading(set(), [], [], inside=False)
    names, texts = named(function.__code__)
    found = [function.__globals__[name] for name in names & function.__globals__.keys()]
    values = [one for value in found for one in within(value)]
    for module in [one for one in values if isinstance(one, ModuleType) and "tests" in one.__name__]:
        values += [value for name, value in vars(module).items() if name in names]
    texts += [*names, function.__name__, *[one for one in values if isinstance(one, str)]]
    called = [one for value in values for one in functions_of(value)]
    return Reading(names, texts, called, inside=any(can_ask(value) for value in values))


def can_ask(value: Any) -> bool:
    """Return whether a value is of a room that can ask the database, or of the service."""
    module = value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
    package, _, rest = module.partition(".")
    if "tests" in module or package not in ("app", "chassis"):
        return False
    return package == "app" or rest.partition(".")[0] not in rooms_without_database()


def named(code: CodeType) -> tuple[set[str], list[str]]:
    """Return the names and the texts in a function's code, and in the functions within it."""
    names = {*code.co_names, *code.co_varnames, *code.co_freevars}
    texts: list[str] = []
    for one in code.co_consts:
        if isinstance(one, CodeType):
            more, others = named(one)
            names, texts = names | more, texts + others
        else:
            texts += [text for text in within(one) if isinstance(text, str)]
    return names, texts


def within(value: Any) -> list[Any]:
    """Return a value, or what a collection holds, such as the cases of tests."""
    if isinstance(value, dict):
        return [one for pair in value.items() for part in pair for one in within(part)]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [one for part in value for one in within(part)]
    return [value]


def functions_of(found: Any) -> list[Any]:
    """Return a function of the tests, or those of a class of theirs."""
    if "tests" not in str(getattr(found, "__module__", "")):
        return []
    if inspect.isclass(found):
        return [one for one in vars(found).values() if isinstance(one, FunctionType)]
    return [inspect.unwrap(found)] if callable(found) else []
