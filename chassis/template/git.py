"""Git, as the tools call it: in a folder, with an index of its own where the folder's must stay as it is."""

import os
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from chassis.template import Refused

NOBODY = {f"GIT_{who}_{what}": "template" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(root: Path, *arguments: str, env: Mapping[str, str] | None = None, given: str | None = None) -> str:
    """Run git, perhaps with an input, and return what it printed; raise Refused with git's own words when it fails."""
    done = attempt(root, *arguments, env=env, given=given)
    if done.returncode:
        raise Refused(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def attempt(
    root: Path, *arguments: str, env: Mapping[str, str] | None = None, given: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run git and return how it ended."""
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=root,
            env={**os.environ, **(env or {})},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise Refused("git is not installed") from None


def names(root: Path, *arguments: str) -> list[str]:
    """Return the paths that a command of git lists with `-z`."""
    done = attempt(root, *arguments)
    if done.returncode:
        raise Refused(f"git {arguments[0]}: {done.stderr.strip()}")
    return [name for name in done.stdout.split("\0") if name]


def export(root: Path, commit: str, folder: Path) -> None:
    """Write the files of a commit to a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git(root, "read-tree", commit, env=env)
        git(root, "checkout-index", "--all", "--force", f"--prefix={folder}/", env=env)


def stored(root: Path, folder: Path, grafts: Mapping[str, str]) -> str:
    """Return the tree that git makes of a folder's files, with other trees under the given paths."""
    with tempfile.TemporaryDirectory() as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        place = {"GIT_DIR": git(root, "rev-parse", "--absolute-git-dir"), "GIT_WORK_TREE": str(folder)}
        git(folder, "add", "--all", "--force", env={**env, **place})
        for path, tree in grafts.items():
            git(root, "read-tree", f"--prefix={path}/", tree, env=env)
        return git(root, "write-tree", env=env)


def without(root: Path, tree: str, paths: Collection[str]) -> str:
    """Return a tree without some of its files."""
    with tempfile.TemporaryDirectory() as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git(root, "read-tree", tree, env=env)
        if paths:
            listed = "".join(f"0 {'0' * 40}\t{name}\0" for name in sorted(paths))
            git(root, "update-index", "-z", "--index-info", env=env, given=listed)
        return git(root, "write-tree", env=env)
