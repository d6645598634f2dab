"""Takes examples and parts out of a fresh tree, with what the generated documents say about their settings."""

import ast
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from chassis.template import Refused, identity

FEATURES, PARTS = "app/features", "chassis/parts"
BASELINE = ".secrets.baseline"  # what detect-secrets has found, by file


def chosen(root: Path, folder: str, wanted: str, what: str) -> tuple[str, ...]:
    """Return the packages that a list with commas names; raise Refused for one that does not exist."""
    there = packages(root / folder)
    names = tuple(name.strip() for name in wanted.split(",") if name.strip())
    for name in names:
        if name not in there:
            raise Refused(f"There is no {what} {name!r}: {', '.join(there) or 'none'}")
    return names


def packages(folder: Path) -> list[str]:
    """Return the names of the packages in a folder."""
    return sorted(path.parent.name for path in folder.glob("*/__init__.py"))


def strip(root: Path, examples: tuple[str, ...], parts: tuple[str, ...]) -> None:
    """Delete the other examples, name only these parts, and shorten the documents of settings."""
    gone = [root / FEATURES / name for name in packages(root / FEATURES) if name not in examples]
    unused = [root / PARTS / name for name in packages(root / PARTS) if name not in parts]
    titles = [title for folder in (*gone, *unused) for title in _titles(folder)]
    for folder in gone:
        shutil.rmtree(folder)
    _forget_secrets(root)
    for name, start in (("docs/configuration.md", "## {}"), (".env.example", "# --- {} ---")):
        text = (root / name).read_text()
        for title in titles:
            text = _without(text, start.format(title), start.partition("{")[0])
        (root / name).write_text(text)
    service = root / identity.FILE
    service.write_text(identity.replaced(service.read_text(), {"parts": _tuple(parts)}))


def _forget_secrets(root: Path) -> None:
    """Take files that do not exist out of the baseline."""
    baseline = root / BASELINE
    known = json.loads(baseline.read_text())
    known["results"] = {name: found for name, found in known["results"].items() if (root / name).exists()}
    baseline.write_text(json.dumps(known, indent=2) + "\n")


def _titles(folder: Path) -> Iterator[str]:
    """Yield the headings of a package's settings: the docstrings of its sections."""
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and "Section" in {ast.unparse(base) for base in node.bases}:
                yield ast.get_docstring(node) or ""


def _without(text: str, heading: str, start: str) -> str:
    before, found, rest = text.partition(f"\n{heading}\n")
    _, following, after = rest.partition(f"\n{start}")
    return before + following + after if found else text


def _tuple(names: tuple[str, ...]) -> str:
    inner = ", ".join(f'"{name}"' for name in names)
    return f"({inner},)" if len(names) == 1 else f"({inner})"
