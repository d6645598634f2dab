"""`make new`: a repository of its own, from the last commit of a clone of this one."""

import json
import tomllib

import pytest

from chassis.base.service import current
from chassis.tests.named import EXAMPLE, SLUG
from chassis.tests.servers import needs_example
from chassis.tests.template import small
from chassis.tests.template.clones import NAME, NAME_SLUG, Clone, clone_of_this, with_our_tools

TAG = "chassis-v99.0.0"
PARTS = current().parts[:1]
REFUSED = {
    (): "Give a folder and a name",
    ("DIR={}",): "Give a name",
    ("DIR={}", "NAME=Gunicorn"): "a library in the lock",
    ("DIR={}", "NAME=Zinnia", "PARTS=accounts,moat"): "There is no part 'moat': accounts, console",
    ("DIR={}", "NAME=Zinnia", "EXAMPLES=moat"): "There is no example 'moat'",
    ("DIR={}/deep", "NAME=Zinnia"): "does not exist",
    ("DIR=.", "NAME=Zinnia"): "is not an empty folder",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    clone = clone_of_this(tmp_path_factory.mktemp("template") / "clone")
    small.put_into(clone)
    clone.git("tag", TAG)
    clone.git("remote", "add", "origin", f"https://{':'.join(('someone', 'word'))}@git.example.org/template.git")
    return clone


@pytest.fixture(scope="module")
def made(template):
    """Return a repository without an example and with one part, if there is one."""
    template.write("README.md", "not committed")
    template.make("new", "DIR=../made", f"NAME={NAME}", f"PARTS={','.join(PARTS)}")
    template.git("checkout", "-q", "README.md")
    return Clone(template.folder.parent / "made")


def test_it_has_one_commit_and_no_history(made, template):
    assert made.git("log", "--format=%s") == f"Start {NAME}"
    assert made.git("status", "--porcelain") == ""
    assert made.git("remote") == ""
    assert template.git("rev-parse", "HEAD") in made.git("log", "--format=%b")


def test_it_records_where_it_comes_from_without_a_password(made, template):
    known = tomllib.loads(made.read(".template"))
    commit = template.git("rev-parse", "HEAD")
    assert (known["origin"], known["tag"], known["commit"]) == (
        "https://git.example.org/template.git", TAG, commit,
    )  # fmt: skip
    assert (known["name"], known["slug"], known["parts"], known["examples"]) == (NAME, NAME_SLUG, [*PARTS], [])


def test_nothing_of_the_example_is_left(made, template):
    known = json.loads(made.read(".secrets.baseline"))["results"]
    assert [name for name in known if not (made.folder / name).exists()] == []
    assert not list(made.folder.rglob("*.csv"))
    assert not (made.folder / "examples").exists()
    assert "There are no examples" in made.make("example")
    assert [place for place in made.places("DEMO_PREDICTOR") if not place.startswith("chassis/tests/")] == []


def test_it_is_named_and_has_texts_of_its_own(made, template):
    assert made.places(SLUG) == []
    assert made.read("README.md").startswith(f"# {NAME}\n")
    assert "The first version" in made.read("CHANGELOG.md")
    assert f'version="0.1.0", parts={PARTS})'.replace("'", '"') in made.read("app/__init__.py")
    assert made.git("rev-parse", "HEAD:chassis") == template.git("rev-parse", "HEAD:chassis")


def test_the_documents_say_what_is_left(made):
    assert [path.name for path in (made.folder / "app/features").iterdir()] == ["__init__.py"]
    with_our_tools(made)
    assert "up to date" in made.run(".venv/bin/python", "-m", "flask", "settings", "docs", "--check")


@pytest.mark.parametrize("given", REFUSED, ids=range(len(REFUSED)))
def test_nothing_is_left_of_one_that_is_refused(template, given, tmp_path):
    options = [one.format(tmp_path / "made") for one in given]
    said = template.make("new", *options, status=2)
    assert "Nothing was made. " in said
    assert REFUSED[given] in said
    assert list(tmp_path.iterdir()) == []


@needs_example
def test_an_example_that_is_asked_for_is_kept_with_its_section(template, tmp_path):
    (tmp_path / "made").mkdir()
    template.make("new", f"DIR={tmp_path}/made", f"NAME={NAME}", f"EXAMPLES={EXAMPLE}", "PARTS=")
    kept = Clone(tmp_path / "made")
    assert (kept.folder / f"app/features/{EXAMPLE}/__init__.py").is_file()
    assert "\n## The example over HTTP\n" in kept.read("README.md")
    assert "parts=())" in kept.read("app/__init__.py")
    with_our_tools(kept)
    assert "up to date" in kept.run(".venv/bin/python", "-m", "flask", "settings", "docs", "--check")


def test_an_example_to_copy_becomes_a_feature_with_its_documents(template, tmp_path):
    with_our_tools(template)
    said = template.make("new", f"DIR={tmp_path}/made", f"NAME={NAME}", f"EXAMPLES={small.NAME}", "PARTS=")
    assert f"cd {tmp_path}/made && make run\n" in said
    made = Clone(tmp_path / "made")
    assert made.read(f"{small.COPY}/pages.py") == small.FILES["pages.py"]
    assert not (made.folder / "examples").exists()
    assert tomllib.loads(made.read(".template"))["examples"] == [small.NAME]
    assert f"| [The feature {small.NAME}]({small.COPY}/README.md) |" in made.read("README.md")
    assert "\n## The example" not in made.read("README.md")
    assert "`HARBOR_SHIPS`" in made.read("docs/configuration.md")
    with_our_tools(made)
    assert "up to date" in made.run(".venv/bin/python", "-m", "flask", "settings", "docs", "--check")


def test_without_tools_the_commands_for_an_example_are_named(tmp_path):
    clone = clone_of_this(tmp_path / "clone")
    small.put_into(clone, library=True)
    said = clone.make("new", f"DIR={tmp_path}/made", f"NAME={NAME}", f"EXAMPLES={small.NAME}")
    assert f"cd {tmp_path}/made && make lock && make docs && make run\n" in said
    made = Clone(tmp_path / "made")
    assert f"({small.COPY})\n" in made.read("pyproject.toml")
    assert list(json.loads(made.read(".secrets.baseline"))["results"])[-1] == f"{small.COPY}/pages.py"


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_it_passes_its_lint_and_the_tests_of_its_documents(made):
    with_our_tools(made)
    made.run("make", "lint", seconds=None)
    made.run(
        ".venv/bin/python", "-m", "pytest", "-q", "-m", "not long",
        "tests", "chassis/tests/test_names.py", "chassis/tests/test_documents.py", seconds=None,
    )  # fmt: skip
