"""Takes examples and parts out of a fresh tree, with what the generated documents say about their settings."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

from chassis.template import Refused, baseline, identity
from chassis.template.examples import FEATURES, FOLDER, copy, found, names

PARTS = "chassis/parts"


def chosen(there: list[str], wanted: str, what: str) -> tuple[str, ...]:
    """Return the packages that a list with commas names; raise Refused for one that does not exist."""
    asked = tuple(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    for name in asked:
        if name not in there:
            raise Refused(f"There is no {what} {name!r}: {', '.join(there) or 'none'}")
    return asked


def available(root: Path) -> list[str]:
    """Return the names of all examples: those that are features already, and those to be copied."""
    return sorted({*names(root / FEATURES), *found(root)})


def strip(root: Path, examples: tuple[str, ...], parts: tuple[str, ...]) -> list[str]:
    """Keep these examples as features, name only these parts, and shorten the documents of settings.

    Returns the examples that were copied, whose settings are in no document yet.
    """
    copied = [name for name in examples if not (root / FEATURES / name).exists()]
    gone = [root / FEATURES / name for name in names(root / FEATURES) if name not in examples]
    unused = [root / PARTS / name for name in names(root / PARTS) if name not in parts]
    titles = [title for folder in (*gone, *unused) for title in _titles(folder)]
    for name in copied:
        copy(root, name)
        baseline.follow(root, f"{FOLDER}/{name}", f"{FEATURES}/{name}")
    for folder in (*gone, root / FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
    baseline.forget(root)
    _shorten(root, titles)
    service = root / identity.FILE
    service.write_text(identity.replaced(service.read_text(), {"parts": _tuple(parts)}))
    return copied


def _shorten(root: Path, titles: list[str]) -> None:
    for name, start in (("docs/configuration.md", "## {}"), (".env.example", "# --- {} ---")):
        text = (root / name).read_text()
        for title in titles:
            text = _without(text, start.format(title), start.partition("{")[0])
        (root / name).write_text(text)


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
