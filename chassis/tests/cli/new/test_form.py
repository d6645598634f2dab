"""What is written has the form of this project, for each combination of options, and is written whole or not at all."""

import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.cli.new import feature
from chassis.cli.new.columns import TYPES, parsed
from chassis.cli.new.feature import Plan, files
from chassis.tests.documents import ROOT

GUIDE = "chassis/docs/adding-a-feature.md"
OPTIONS = ("table", "upload", "job", "live", "page")
EVERY = " ".join(f"a_{kind}:{kind}" for kind in TYPES)
LONG = " ".join(f"{kind * 40:.40}:{kind}" for kind in TYPES)
TABLES = {"albums": EVERY, "news": "x:int", "wide_names_of_many_features1": LONG}
COMMAND = re.compile(r"flask new feature (\w+) --table \"(.*?)\" --live --page\n")
SHOWN = re.compile(r"^`app/features/albums/([\w/.]+)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def plans():
    """Yield a plan for each combination of options, with short and with the longest names."""
    for chosen in itertools.product((False, True), repeat=len(OPTIONS)):
        for name, declaration in TABLES.items():
            given = dict(zip(OPTIONS, chosen, strict=True))
            columns = parsed(declaration) if given.pop("table") else ()
            yield Plan(name, columns, **given)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with what is written for each plan, and the rules of this project."""
    folder = tmp_path_factory.mktemp("written")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for number, plan in enumerate(plans()):
        for name, text in files(plan).items():
            path = folder / str(number) / "app/features" / plan.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder


@pytest.mark.parametrize("command", [["check"], ["format", "--diff"]], ids=["rules", "form"])
def test_the_formatter_and_its_rules_have_nothing_to_say(written, command):
    ruff = Path(sys.executable).parent / "ruff"
    done = subprocess.run([ruff, *command, "--no-cache", "."], cwd=written, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_of_the_templates_is_left(written):
    for path in written.rglob("*.*"):
        if path.suffix in (".py", ".js", ".html"):
            text = path.read_text()
            assert re.search(r"<<|<%|\n\n\Z|[^\n]\Z|\n\n\n\n", text) is None, path


def test_what_the_guide_shows_is_what_is_written():
    text = (ROOT / GUIDE).read_text()
    name, declaration = COMMAND.search(text).groups()
    made = files(Plan(name, parsed(declaration), live=True, page=True))
    shown = {path: code for path, code in SHOWN.findall(text) if path in made}  # the other commands write more
    assert len(shown) >= 6
    assert shown == {path: made[path] for path in shown}


def test_a_feature_is_written_with_what_to_do_next(flask, own):
    said = flask("feature", "albums", "--table", "title:text", "--page")
    assert "wrote    features/albums/tables.py\n" in said
    assert 'make test-app ARGS="-k albums"' in said
    assert 'flask new migration albums "what"' in said
    assert (own / "albums/migrations/0001_albums.py").is_file()
    assert not (own / "albums/upload.py").exists()
    assert [path.name for path in own.iterdir() if path.name.startswith(".")] == []
    assert "a feature 'albums' already" in flask("feature", "albums", status=1)


def test_nothing_is_left_of_a_feature_that_cannot_be_finished(flask, own, monkeypatch):
    def full():
        raise OSError("no space left")

    monkeypatch.setattr(feature, "_document", full)
    assert "No file was written. no space left." in flask("feature", "albums", "--table", "title:text", status=1)
    assert [path.name for path in own.iterdir()] == ["boats"]
