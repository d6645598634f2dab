"""Where a service's name is written, and which words of a file are that name."""

import re
from collections.abc import Iterator
from pathlib import Path

from chassis.template.identity import Identity

FOLDERS = ("deploy", "docs", ".github")
LEFT_OUT = {
    *("LICENSE", "CHANGELOG.md", ".template", ".git"),  # who wrote it, and what was
    *("Makefile", ".env.example", "configuration.md", ".secrets.baseline"),  # the machinery's words, and generated ones
}
PRIVATE = {"secrets", "backups", "__pycache__"}
# Behind the name and a dot; any other ending is a host of that name, such as acme.example.org, which stays.
ENDINGS = "service|timer|socket|target|conf|json|ya?ml|toml|log|env|sh|py|pid|sock|db|slow|fast|svc|onrender"

INSIDE = re.compile(r"[A-Za-z0-9.]")  # before a slug that is part of another word
GOES_ON = re.compile(rf"[A-Za-z0-9]|[-@\w]*\.(?!(?:{ENDINGS})\b)[A-Za-z]")  # behind one

MARK = "\0"
LOCK = re.compile(r"requirements[^/]*\.txt")
SLUG_LINE = re.compile(r'^name = "([^"\n]*)"$', re.MULTILINE)
CODE = re.compile(r"^```.*?^```|^ {4,}\S[^\n]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def files(root: Path) -> Iterator[Path]:
    """Yield the files that can carry the name: the top level's, and those of deploy/, docs/ and .github/."""
    tops = root.iterdir()
    inner = (path for folder in FOLDERS for path in (root / folder).rglob("*"))
    for path in sorted([*tops, *inner]):
        left_out = path.name in LEFT_OUT or path.name.startswith(".env") or path.suffix == ".env"
        if path.is_file() and not left_out and not PRIVATE & set(path.relative_to(root).parts):
            yield path


def text_of(path: Path) -> str | None:
    """Return a file's text with its own line ends, or None of a picture."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        return None


def replaced(text: str, old: str, new: str) -> str:
    """Replace a slug where it is a word of its own, but not in the name of a host."""
    written, done, at = [], 0, text.find(old) if old else -1
    while at >= 0:
        end = at + len(old)
        if not INSIDE.match(text[at - 1 : at]) and not GOES_ON.match(text, end):
            written += [text[done:at], new]
            done = end
        at = text.find(old, end if done == end else at + 1)
    return "".join([*written, text[done:]])


def renamed(name: str, text: str, old: Identity, new: Identity) -> str:
    """Return the text of a file, given by its path from the top, with the new name for the old one."""
    if name == "pyproject.toml":
        return SLUG_LINE.sub(lambda line: f'name = "{new.slug}"' if line[1] == old.slug else line[0], text)
    if LOCK.fullmatch(name):
        return text.replace(f" {old.slug} (pyproject.toml)", f" {new.slug} (pyproject.toml)")
    if name == "README.md":
        title, end, rest = text.partition("\n")
        text = f"# {new.name}{end}{rest}" if title.startswith("# ") and title.endswith(f" {old.name}") else text
    if " " in old.name:  # a name of one word may be an ordinary word too
        text = text.replace(old.name, new.name)
    return _substituted(name, text, old.slug, new.slug)


def taken(root: Path, slug: str, old: str) -> str | None:
    """Return the first place where a slug is a word beside the old one, so that it could not be told from the name."""
    for path in files(root):
        name = path.relative_to(root).as_posix()
        if name == "pyproject.toml" or name.startswith("requirements"):
            continue
        text = _substituted(name, text_of(path) or "", old, MARK)
        after = _substituted(name, text, slug, MARK)
        for number, (one, other) in enumerate(zip(text.splitlines(), after.splitlines(), strict=True), 1):
            if one != other:
                return f"{name}:{number}"
    return None


def _substituted(name: str, text: str, old: str, new: str) -> str:
    """Replace a slug in a text; in a document only in code, since prose may use the word."""
    if not name.endswith(".md"):
        return replaced(text, old, new)
    return CODE.sub(lambda code: replaced(code[0], old, new), text)
