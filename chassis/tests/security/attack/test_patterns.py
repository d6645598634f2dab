"""Every regular expression of the application takes time in proportion to what it reads, whatever stands there."""

import ast
import json
import re
import subprocess
import sys
import time

import pytest

from chassis.observability.redaction import redact_line
from chassis.tests.conftest import ROOT
from chassis.tests.security.attack.worst_strings import MOST_GROWTH, TIMES, growth, growth_of

METHODS = "match|fullmatch|search|subn?|split|finditer|findall"
OF_RE_ITSELF = re.compile(rf"{METHODS}|template")
FOLDERS = (ROOT / "app", ROOT / "chassis")
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*.py") if "tests" not in path.parts)
SOURCES = {path: path.read_text() for path in FILES}


LIST = """
import importlib, json, pkgutil, re
import app, chassis
found = {}
walked = [*pkgutil.walk_packages(app.__path__, "app."), *pkgutil.walk_packages(chassis.__path__, "chassis.")]
for module in walked:
    if ".tests" not in module.name and ".migrations" not in module.name:
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                text = value.pattern if isinstance(value.pattern, str) else value.pattern.decode("latin-1")
                found[name, text] = [name, text, value.flags & ~re.UNICODE, isinstance(value.pattern, bytes)]
print(json.dumps(list(found.values())))
"""


def patterns() -> list[tuple[str, re.Pattern]]:
    """Return each compiled pattern with its name; another process imports all modules: some patch their process."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", LIST], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout.splitlines()[-1])
    return [(name, re.compile(text.encode("latin-1") if raw else text, flags)) for name, text, flags, raw in listed]


def _methods(name: str) -> set[str]:
    used = re.compile(rf"\b{name}\.({METHODS})\(")
    return {method for text in SOURCES.values() for method in used.findall(text)} or {"search"}


def test_every_pattern_is_linear():
    found = patterns()
    assert len(found) > 20
    slow = []
    for name, pattern in found:
        for method in sorted(_methods(name)):
            times, shape = growth(pattern, method)
            if times > MOST_GROWTH:
                slow.append(f"{name} {pattern.pattern!r}: {TIMES} times the input takes {times:.0f} times, {shape}")
    assert slow == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_pattern_is_compiled_where_the_test_above_finds_it(path):
    tree = ast.parse(SOURCES[path])
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    direct = [f.attr for f in calls if isinstance(f, ast.Attribute) and getattr(f.value, "id", "") == "re"]
    assert not [name for name in direct if OF_RE_ITSELF.fullmatch(name)], "compile it as a constant of the module"
    inside = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    names = [ast.unparse(one.func) for outer in inside for one in ast.walk(outer) if isinstance(one, ast.Call)]
    assert "re.compile" not in names, "compile it as a constant of the module"
    assert "python-re" not in SOURCES[path], "pydantic's own patterns are linear by design"


@pytest.mark.parametrize(
    "repeated", ["key", "?key", "&a", "://", "bearer ", "bearer", "ak_00000000_", "ln_00000000_", "-"]
)
def test_redacting_a_line_is_linear(repeated):
    def cpu(length: int) -> int:
        line = f"GET /?{repeated * (length // len(repeated))} a=b&c bearer ak_ ://"
        began = time.thread_time_ns()
        redact_line(line, [])
        return time.thread_time_ns() - began

    assert growth_of(cpu, 10_000) <= MOST_GROWTH


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/?access_key_id=1&b=2", "/?access_key_id=***&b=2"),
        ("/?a=b?KEY=1", "/?a=b?KEY=***"),
        ("/?monkey&token-x.y=1 c=2", "/?monkey&token-x.y=*** c=2"),
        ("/?keykey&a=1", "/?keykey&a=1"),
    ],
)
def test_secret_parameters_are_hidden_as_before(line, shown):
    assert redact_line(line, []) == shown
