"""The code that the documents show is sound: ruff, mypy in strict mode, and Node's parser have nothing to say."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from chassis.cli.new.columns import parsed
from chassis.cli.new.feature import Plan, files
from chassis.tests.conftest import CLEAN, ROOT

SAMPLE = re.compile(
    r"(?:^`(?P<path>app/features/[\w/.]+)`:\n\n)?^ *```(?P<kind>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
DOCUMENTS = [
    path for place in ("*.md", "docs/**/*.md", "chassis/*.md", "chassis/docs/**/*.md") for path in ROOT.glob(place)
]
BEFORE = {"service = Service(": "from chassis.service import Service\n\n"}  # for a line of a file
KNOWN = {"python": ".py", "js": ".js"}
ELSEWHERE = {"console", "diff", "html", "json", "sh", "ts", "tsx"}  # test_typed_client.py, cli/new/test_tutorial.py


def samples(kind):
    """Yield the path and the text of each sample of a language."""
    for document in DOCUMENTS:
        for number, block in enumerate(SAMPLE.finditer(document.read_text()), 1):
            if block["kind"] == kind:
                text = textwrap.dedent(block["text"])
                before = "".join(needed for start, needed in BEFORE.items() if text.startswith(start))
                name = f"{document.stem.replace('-', '_').lower()}_{number}{KNOWN[kind]}"
                yield block["path"] or f"samples/{name}", before + text


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the samples as modules, and the feature to which some of them belong."""
    folder = tmp_path_factory.mktemp("samples")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("__init__.py", "settings.py", "features/__init__.py"):
        write(folder / "app" / name, (ROOT / "app" / name).read_text())
    for name, text in files(Plan("albums", parsed("title:text photos:int"), live=True, page=True)).items():
        write(folder / "app/features/albums" / name, text)
    for kind in KNOWN:
        for name, text in samples(kind):
            write(folder / name, text)
    return folder


def write(path, text):
    """Write a file, in a new folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(folder, *command):
    env = {**CLEAN, "MYPYPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_of_sample_is_looked_at():
    kinds = {block["kind"] for path in DOCUMENTS for block in SAMPLE.finditer(path.read_text())}
    assert kinds <= {*KNOWN, *ELSEWHERE}
    assert len(list(samples("python"))) >= 12


@pytest.mark.parametrize("command", [["check"], ["format", "--diff"]], ids=["rules", "form"])
def test_the_samples_are_formatted_and_keep_the_rules(written, command):
    run(written, Path(sys.executable).parent / "ruff", *command, "--no-cache", ".")


@pytest.mark.long
def test_the_samples_are_typed(written):
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", written / ".mypy_cache")
    run(written, sys.executable, "-m", "mypy", "app", "samples")


def test_the_scripts_parse(written, tool):
    for path in (written / "samples").glob("*.js"):
        run(written, tool("node", "nodejs"), "--check", path)
