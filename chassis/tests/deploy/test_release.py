"""`make release` in a repository of its own."""

import os
import re
import runpy
import shutil
import subprocess
import sys

import pytest

from chassis.tests.conftest import ROOT
from chassis.tests.documents import blocks

KINDS = runpy.run_path(str(ROOT / "deploy/release.py"))
PLACES = KINDS["SERVICE"].places
FILES = (
    *(".gitignore", "CHANGELOG.md", "Makefile", "app/__init__.py", "deploy/release.py", "pyproject.toml"),
    *(
        "chassis/manifest.txt",
        "chassis/CHANGELOG.md",
        "chassis/__init__.py",
        "chassis/manifest.py",
    ),
)
WHO = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Repository:
    """A copy of what a release reads and writes, committed."""

    def __init__(self, folder, remote):
        self.folder = folder
        for name in FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.type("git init -q -b main && git add -A && git commit -qm First")
        self.type(f"git init -q --bare {remote} && git remote add origin {remote} && git push -q -u origin main")

    def type(self, commands):
        done = subprocess.run(
            ["bash", "-ec", commands],
            cwd=self.folder,
            env={**os.environ, **WHO},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def write(self, name, text):
        (self.folder / name).write_text(text)
        self.type(f"git add -A && git commit -qm 'Change {name}'")

    def release(self, version, of=""):
        return self.type(f"make release VERSION={version} OF={of} PYTHON={sys.executable}")


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "clone").mkdir()
    return Repository(tmp_path / "clone", tmp_path / "remote.git")


def test_a_release_is_a_version_a_section_a_commit_and_a_tag(repository):
    log = repository.folder / "CHANGELOG.md"
    said = repository.type(blocks("docs/deploy.md", "Releases")[0].replace("make ", f"make PYTHON={sys.executable} "))
    assert said[0] == 0, said[1]
    assert "To publish it: git push --follow-tags" in said[1]
    for name, place in PLACES.items():
        assert place.search((repository.folder / name).read_text())[1] == "0.2.0"
    assert re.search(r"## \[Unreleased\]\n\n## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n\n### \w+\n", log.read_text())
    assert repository.type("git status --porcelain") == (0, "")
    assert repository.type("git ls-remote --tags origin v0.2.0")[1].endswith("refs/tags/v0.2.0\n")
    assert repository.type("git cat-file -t v0.2.0")[1] == "tag\n"
    message = repository.type("git tag -l --format='%(contents)' v0.2.0")[1]
    assert re.match(r"Release 0\.2\.0\n\n### \w+\n\n- ", message)
    assert repository.type("git log -1 --format=%s")[1] == "Release 0.2.0\n"


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-rc1", "one"])
def test_a_version_is_semantic(repository, version):
    status, said = repository.release(version)
    assert status != 0
    assert "is not a semantic version" in said


def test_a_version_is_newer_and_has_no_tag(repository):
    repository.write("app/__init__.py", 'service = Service(name="One", version="0.10.0")\n')
    assert "0.9.0 is not newer than 0.10.0." in repository.release("0.9.0")[1]
    repository.type("git tag v1.0.0")
    assert "0.11.0 is not newer than 1.0.0." in repository.release("0.11.0")[1]
    assert "The tag v1.0.0 exists already." in repository.release("1.0.0")[1]


def test_nothing_unreleased_is_no_release(repository):
    for text in ("# Changelog\n\n## [Unreleased]\n\n### Added\n\n## [0.1.0]\n\n- All\n", "# Changelog\n"):
        repository.write("CHANGELOG.md", text)
        assert 'nothing under "Unreleased"' in repository.release("0.2.0")[1]


@pytest.mark.parametrize("change", ["echo >> pyproject.toml", "touch new", "echo >> Makefile && git add Makefile"])
def test_a_tree_with_changes_is_not_released(repository, change):
    repository.type(change)
    status, said = repository.release("0.2.0")
    assert status != 0
    assert "The tree has changes" in said
    assert repository.type("git tag")[1] == ""


def test_the_version_is_the_same_everywhere():
    found = {name: place.search((ROOT / name).read_text())[1] for name, place in PLACES.items()}
    assert len(set(found.values())) == 1, found


def test_the_chassis_has_versions_tags_and_a_changelog_of_its_own(repository):
    repository.write("chassis/CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- More\n")
    status, said = repository.release("9.0.0", of="chassis")
    assert (status, "Committed and tagged chassis-v9.0.0" in said) == (0, True), said
    assert '__version__ = "9.0.0"' in (repository.folder / "chassis/__init__.py").read_text()
    assert "## [9.0.0]" in (repository.folder / "chassis/CHANGELOG.md").read_text()
    assert "__init__.py" in (repository.folder / "chassis/manifest.txt").read_text()
    assert repository.type("git status --porcelain") == (0, "")
    assert repository.type("git tag") == (0, "chassis-v9.0.0\n")
