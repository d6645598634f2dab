"""What contributors and their editors are told is true: commands, files, ends of lines, decisions."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from chassis.tests.servers import ROOT, same_in_every_mode

pytestmark = same_in_every_mode
TOLD = (
    "CONTRIBUTING.md",
    "AGENTS.md",
    ".devcontainer/devcontainer.json",
    ".pre-commit-config.yaml",
    ".github/pull_request_template.md",
)
DECISIONS = sorted((ROOT / "chassis/docs/decisions").glob("*.md"))


@pytest.mark.parametrize("name", TOLD)
def test_every_target_that_is_named_exists(name):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", (ROOT / name).read_text()))
    assert named
    assert named <= targets


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "AGENTS.md"])
def test_every_file_that_is_named_exists(name):
    paths = re.findall(r"`([\w.*/-]+(?:/|\.(?:py|md|txt|toml|example)))`", (ROOT / name).read_text())
    assert paths
    assert not [path for path in paths if "NAME" not in path and not list(ROOT.glob(path.rstrip("/")))]


def test_the_devcontainer_runs_the_two_commands_of_the_readme():
    told = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert told["postCreateCommand"].startswith("make test")
    assert told["postAttachCommand"] == "make run"
    assert told["forwardPorts"] == [5000]


def test_a_commit_is_checked_by_the_lint_of_the_gate():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == ["make lint"]


def test_the_forms_of_issues_ask_something():
    for form in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        told = yaml.safe_load(form.read_text())
        assert "blank_issues_enabled" in told or [field["attributes"]["label"] for field in told["body"]]


def test_a_clone_with_autocrlf_has_the_same_lines(tmp_path):
    for name in (".gitattributes", "Makefile", ".ci/run", "deploy/compose/make_secrets.sh"):
        (tmp_path / "one" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / name).write_bytes((ROOT / name).read_bytes())
    for words in (
        ["git", "init", "-q", "one"],
        ["git", "-C", "one", "add", "--all"],
        ["git", "-C", "one", "-c", "user.name=tests", "-c", "user.email=tests@example.org", "commit", "-qm", "One"],
        ["git", "clone", "-q", "-c", "core.autocrlf=true", "one", "two"],
    ):
        subprocess.run(words, cwd=tmp_path, check=True)
    assert b"\r" not in b"".join(file.read_bytes() for file in (tmp_path / "two").rglob("*") if in_tree(file))


def in_tree(file: Path) -> bool:
    return file.is_file() and ".git" not in file.parts


@pytest.mark.parametrize("record", DECISIONS, ids=lambda record: record.stem[:4])
def test_every_decision_is_dated_and_listed(record):
    title, day = re.match(r"# (.+)\n\nDecided on (\d{4}-\d\d-\d\d)\.\n\n\S", record.read_text()).groups()
    row = f"| {day} | [{title}](decisions/{record.name}) |\n"
    assert row in (ROOT / "chassis/docs/architecture.md").read_text()
