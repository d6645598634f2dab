"""Clones for the tests of the template's tools: of the present tree, in a repository of git, without our history."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from chassis.template import baseline
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import CLEAN, ROOT

WHO = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
INDEX = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_"))}  # where packages are
WORDS = ("Zinnia", "Harbor")
NAME, NAME_SLUG = " ".join(WORDS), "-".join(WORDS).lower()  # put together: nothing in the chassis names a service
NEVER = (
    "chassis/",
    "LICENSE",
    "CHANGELOG.md",
    "app/features/",
    "examples/",
    "benchmarks/",
    ".secrets.baseline",
)  # carry no name


class Clone:
    """A folder with a clone of this project in it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def run(self, *command: str, status: int | None = 0, seconds: float | None = LIMIT_SECONDS) -> str:
        """Run a command in the clone and return what it printed; None allows every exit status, and any time."""
        done = subprocess.run(
            command, cwd=self.folder, env={**CLEAN, **INDEX, **WHO, **ALONE, "NAME": "a-machine"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False,
        )  # fmt: skip
        assert status is None or done.returncode == status, done.stdout
        return done.stdout

    def make(self, target: str, *given: str, status: int = 0) -> str:
        """Run a target of make, with a plain Python."""
        return self.run("make", target, *given, f"PYTHON={_plain_python()}", status=status)

    def git(self, *arguments: str) -> str:
        """Run git and return what it printed."""
        return self.run("git", *arguments).strip()

    def commit(self, subject: str) -> str:
        """Commit everything and return the commit."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def read(self, name: str) -> str:
        """Return the text of a file."""
        return (self.folder / name).read_text()

    def write(self, name: str, text: str) -> None:
        """Write a file, in a new folder if need be."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def change(self, name: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        before = self.read(name)
        assert old in before, f"{name} has no {old!r}"
        self.write(name, before.replace(old, new, 1))

    def places(self, word: str) -> list[str]:
        """Return the lines and paths that have a word where the service's name can be."""
        pattern = re.compile(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", re.IGNORECASE)
        names = [
            name
            for name in self.git("ls-files").splitlines()
            if not name.startswith(NEVER) and (self.folder / name).exists()
        ]
        texts = ((name, (self.folder / name).read_bytes().decode(errors="replace")) for name in names)
        lines = ((name, line) for name, text in texts for line in (name, *text.splitlines()))
        return [f"{name}: {line}" for name, line in lines if pattern.search(line)]


def clone_of_this(folder: Path) -> Clone:
    """Copy the files known to git and commit them."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    clone = Clone(folder)
    clone.run(sys.executable, "-m", "chassis.manifest")  # as a release has it
    baseline.forget(folder)  # the example that somebody has deleted
    clone.git("init", "-q", "-b", "main")
    clone.commit("First")
    return clone


def with_our_tools(clone: Clone) -> None:
    """Link the virtual environment, without a reason for make to install anything into it."""
    if not (clone.folder / ".venv").exists():
        (clone.folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    for lock in clone.folder.glob("requirements*.txt"):
        os.utime(lock, (0, 0))
    with_our_cache(clone)


def with_our_cache(clone: Clone) -> None:
    """Copy what mypy knows, which then has less to read."""
    if (ROOT / ".mypy_cache").is_dir() and not (clone.folder / ".mypy_cache").exists():
        shutil.copytree(ROOT / ".mypy_cache", clone.folder / ".mypy_cache")


def _plain_python() -> str:
    """Return the Python below the virtual environment, in which nothing is installed."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
