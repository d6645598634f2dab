"""The public surface: each contract on imports is broken on purpose, and a service uses public names alone."""

import ast
import dataclasses
import inspect
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from chassis.cli import reference
from chassis.hooks import Hooks
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS

LINT = Path(sys.executable).parent / "lint-imports"
MISTAKES = {
    "The service stands on the chassis, never the other way round": ("chassis/jobs/model.py", "import app"),
    "Rooms import downwards only": ("chassis/db/state.py", "import chassis.jobs"),
    "The service imports rooms, never the inside of a room": ("app/features/one.py", "from chassis.jobs import store"),
    "Features know nothing of one another": ("app/features/one.py", "import app.features.two"),
    "Parts know nothing of one another": ("chassis/parts/console/pages.py", "import chassis.parts.accounts"),
    "The server knows chassis.base alone": ("chassis/server/caps.py", "import chassis.errors"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Return a copy of the packages, with two features beside those that are there."""
    folder = tmp_path_factory.mktemp("contracts")
    for name in ("app", "chassis"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("tests", "static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for feature in ("one", "two"):
        (folder / f"app/features/{feature}.py").write_text("from chassis.security import identity\n")
    return folder


def lint(folder):
    """Run the contracts and return (exit status, names of those that are broken)."""
    done = subprocess.run(
        [LINT], cwd=folder, env=CLEAN, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    lines = done.stdout.splitlines()
    return done.returncode, [line.partition(" BROKEN")[0] for line in lines if " BROKEN" in line]


def lint_with(folder, name, line):
    """Run the contracts with a line more in a file."""
    file = folder / name
    before = file.read_text() if file.exists() else ""
    file.write_text(f"{before}\n{line}\n")
    try:
        return lint(folder)
    finally:
        file.write_text(before) if before else file.unlink()


def test_the_packages_keep_every_contract(copy):
    assert lint(copy) == (0, [])


@pytest.mark.parametrize("contract", MISTAKES)
def test_an_import_that_breaks_a_contract_is_named(copy, contract):
    status, broken = lint_with(copy, *MISTAKES[contract])
    assert (status, contract in broken) == (1, True)


def test_a_module_without_a_place_in_the_layers_is_named(copy):
    status, broken = lint_with(copy, "chassis/attic.py", "THINGS = ()")
    assert (status, broken) == (1, ["Rooms import downwards only"])


@pytest.mark.parametrize(
    "line", ["from chassis.jobs.store import get", "import chassis.web.openapi.page", "from chassis.boot import run"]
)
def test_a_service_cannot_import_what_a_room_keeps_to_itself(copy, line):
    contract = "The service imports rooms, never the inside of a room"
    assert contract in lint_with(copy, "app/settings.py", line)[1]


def test_every_contract_is_broken_once():
    assert (ROOT / "pyproject.toml").read_text().count("[[tool.importlinter.contracts]]") == len(MISTAKES)


def used_names(tree):
    """Yield (module, name) for each name of the chassis that a module imports, or takes from a namespace of it."""
    namespaces = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "chassis":
            room = import_module(node.module)
            for alias in node.names:
                if node.module != "chassis":
                    yield node.module, alias.name
                if inspect.ismodule(found := getattr(room, alias.name, None)):
                    namespaces[alias.asname or alias.name] = found.__name__
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in namespaces:
            yield namespaces[node.value.id], node.attr


def modules_of_services():
    found = (path for folder in ("app", "examples") for path in (ROOT / folder).rglob("*.py"))
    return [path for path in found if "tests" not in path.parts]


@pytest.mark.parametrize("path", modules_of_services(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_service_uses_names_that_rooms_export(path):
    used = set(used_names(ast.parse(path.read_text())))
    assert {(room, name) for room, name in used if name not in import_module(room).__all__} == set()


@pytest.fixture(scope="module")
def text():
    """Return the reference as the code has it now."""
    return reference.document()


def test_the_reference_is_up_to_date(text):
    assert reference.DOCUMENT.read_text() == text, "chassis/docs/reference.md is stale: run `make docs`"


def test_every_public_name_has_a_text_in_the_reference(text):
    headings = ("\n## ", "\n### ", "\n#### ")
    for heading in headings:
        text = text.replace(heading, "\n\x00")
    entries = [entry.strip().split("\n\n") for entry in text.split("\n\x00")[1:]]
    values = {entry[0] for entry in entries if len(entry) == 2 and " = " in entry[1]}
    assert {entry[0] for entry in entries if len(entry) < 3 and not entry[0].startswith("chassis.")} == values


def test_the_reference_has_every_hook(text):
    fields = {field.name for field in dataclasses.fields(Hooks)}
    hooks = {name for name in vars(Hooks) if not name.startswith("_")} - fields
    assert {name for name in hooks if f"\n#### Hooks.{name}\n" not in text} == set()
