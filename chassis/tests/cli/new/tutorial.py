"""Reads the tutorial as steps: commands with what they print, files that are written or shown, and changes of files."""

import re
from dataclasses import dataclass

BLOCK = re.compile(r"(?:^`(?P<path>[\w/.]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One step: a `command` with its output, or a `file` or `change` with its path."""

    kind: str
    subject: str
    text: str


def steps(document: str) -> list[Step]:
    """Return what a reader does, in order."""
    found: list[Step] = []
    for block in BLOCK.finditer(document):
        if block["kind"] == "console":
            found += [Step("command", command, output) for command, output in COMMAND.findall(block["text"])]
        else:
            found.append(Step("change" if block["kind"] == "diff" else "file", block["path"], block["text"]))
    return found


def before_and_after(change: str) -> tuple[str, str]:
    """Return the lines that a change expects, and those that it leaves."""
    lines = change.splitlines(keepends=True)
    return (
        "".join(line[1:] for line in lines if line[0] != "+"),
        "".join(line[1:] for line in lines if line[0] != "-"),
    )


def matches(shown: str, printed: str) -> bool:
    """Return whether an output is the one that is shown, in which `...` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None
