"""The document that compares the examples is right about those that are there."""

import ast
import re

import pytest

from chassis.template import examples
from chassis.tests.documents import section
from chassis.tests.servers import ROOT

DOCUMENT = ROOT / "examples/README.md"
USES = "What they use of the chassis"
pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="the examples were deleted")


def folder_of(name):
    """Return where the source of an example is, or None if it is not there."""
    places = (ROOT / "examples" / name, ROOT / examples.FEATURES / name)
    return next((place for place in places if (place / "__init__.py").exists()), None)


def used(folder):
    """Return the dotted names that an example imports, and the hooks that it calls."""
    names = set()
    for path in folder.rglob("*.py"):
        if "tests" not in path.relative_to(folder).parts:
            text = path.read_text()
            names |= {f"hooks.{hook}" for hook in re.findall(r"\bhooks\.(\w+)\(", text)}
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and node.module:
                    names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def uses():
    """Yield (example, what its column says that it uses, all that the rows name)."""
    lines = re.findall(r"^\|(.*)\|$", section(DOCUMENT.read_text(), USES), re.MULTILINE)
    head, _, *rows = [[cell.strip(" `") for cell in line.split("|")] for line in lines]
    for number, name in enumerate(head[1:], 1):
        yield name, {row[0] for row in rows if row[number] == "yes"}, {row[0] for row in rows}


def test_it_has_every_example():
    text = DOCUMENT.read_text()
    assert [name for name in examples.found(ROOT) if f"| {name} |" not in text] == []


def test_it_says_what_each_uses():
    wrong = {}
    for name, told, named in uses():
        folder = folder_of(name)
        if folder and (found := used(folder) & named) != told:
            wrong[name] = {"uses": sorted(found - told), "does not use": sorted(told - found)}
    assert wrong == {}


def test_every_example_tells_in_a_sentence_what_it_is():
    assert [name for name in examples.found(ROOT) if len(examples.about(ROOT, name)) < 20] == []
