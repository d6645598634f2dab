"""`make example`: the copy, its requirements and documents, and the way back, in a clone of this tree."""

import json

import pytest

from chassis.tests.template import small
from chassis.tests.template.clones import clone_of_this, with_our_tools

UV = '#!/bin/sh\nfor file; do :; done\necho "# made anew" >"$file"\n'
TRUE, FALSE = "#!/bin/sh\n", "#!/bin/sh\necho 'no network' >&2\nexit 1\n"
NEEDED = f'    "{small.LIBRARY}", # asks the harbor ({small.COPY})\n]\n'
TESTED = f'    "{small.TESTED}", # ({small.COPY})\n]\n'


def fake_tools(clone, uv=UV):
    """Give a clone tools that need no network: `uv` writes a line, and `python` does nothing."""
    for name, text in (("bin/uv", uv), ("bin/python", TRUE), ("installed-dev", "")):
        clone.write(f".venv/{name}", text)
        (clone.folder / ".venv" / name).chmod(0o755)
    return clone


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return a clone with an example, and the tools of this one."""
    clone = clone_of_this(tmp_path_factory.mktemp("template") / "clone")
    small.put_into(clone)
    with_our_tools(clone)
    return clone


@pytest.fixture
def needy(tmp_path):
    """Return a clone whose example needs a library, with tools that do nothing."""
    clone = clone_of_this(tmp_path / "clone")
    small.put_into(clone, library=True)
    return fake_tools(clone)


def example(clone, *given, status=0):
    """Run `make example` and return what it said; a refusal changes nothing."""
    before = clone.git("status", "--porcelain", "-uall"), clone.git("diff")
    said = clone.make("example", *given, status=status)
    assert not status or (clone.git("status", "--porcelain", "-uall"), clone.git("diff")) == before
    return said


def test_without_a_name_each_is_told_in_a_line(clone):
    said = example(clone)
    assert f"  {small.NAME} " in said
    assert " Shows how many ships fit.\n" in said
    assert len(said.splitlines()) == 2 + len(list((clone.folder / "examples").glob("*/__init__.py")))


def test_a_copy_comes_with_its_documents_and_goes_without_a_trace(clone):
    said = example(clone, f"NAME={small.NAME}")
    assert f"copied   {small.FOLDER} to {small.COPY}\n" in said
    assert "changed  docs/configuration.md\nchanged  .env.example\n" in said
    assert [line.split("#")[0].strip() for line in said.splitlines()[-2:]] == [
        f'make test-app ARGS="-k {small.NAME}"', "make dev",
    ]  # fmt: skip
    assert "`HARBOR_SHIPS`" in clone.read("docs/configuration.md")
    assert "up to date" in clone.run(".venv/bin/python", "-m", "flask", "settings", "docs", "--check")
    assert "is there already" in example(clone, f"NAME={small.NAME}", status=2)
    example(clone, f"NAME={small.NAME}", "REMOVE=1")
    assert clone.git("status", "--porcelain", "-uall") == ""


def test_a_name_that_is_unknown_is_refused_with_the_list(clone):
    for name in ("moat", "../harbor", "harbor/tests"):
        said = example(clone, f"NAME={name}", status=2)
        assert f"Nothing was added. There is no example {name!r}: " in said
        assert small.NAME in said.partition("example")[2]
    assert "There is no copy of it" in example(clone, f"NAME={small.NAME}", "REMOVE=1", status=2)


def test_an_edited_copy_is_kept_and_its_files_are_named(clone):
    example(clone, f"NAME={small.NAME}")
    try:
        clone.write(f"{small.COPY}/pages.py", "edited")
        clone.write(f"{small.COPY}/own.py", "own")
        (clone.folder / small.COPY / "README.md").unlink()
        said = example(clone, f"NAME={small.NAME}", "REMOVE=1", status=2)
        assert "README.md (removed), own.py (added), pages.py (changed)." in said
    finally:
        clone.git("clean", "-fdxq", "app")
        clone.git("checkout", "-q", ".")


def test_one_that_cannot_start_is_taken_back(clone):
    clone.change(f"{small.FOLDER}/settings.py", "chassis.settings", "chassis.moat")
    try:
        said = example(clone, f"NAME={small.NAME}", status=2)
        assert "No module named 'chassis.moat'" in said
        assert "The documents of the settings could not be written" in said
        assert not (clone.folder / small.COPY).exists()
    finally:
        clone.git("checkout", "-q", ".")


def test_its_libraries_are_required_and_locked(needy):
    example(needy, f"NAME={small.NAME}")
    assert [needy.read("pyproject.toml").count(line) for line in (NEEDED, TESTED, small.LIBRARY)] == [1, 1, 1]
    assert needy.read("requirements.txt") == "# made anew\n"
    known = json.loads(needy.read(".secrets.baseline"))["results"]
    assert known[f"{small.COPY}/pages.py"][0]["filename"] == f"{small.COPY}/pages.py"
    example(needy, f"NAME={small.NAME}", "REMOVE=1")
    changed = needy.git("status", "--porcelain").splitlines()
    assert {line.split()[-1].partition(".")[0].partition("-")[0] for line in changed} == {"requirements"}


def test_a_library_that_two_features_need_stays_with_the_other(needy):
    other = "app/features/quay/requirements.in"
    needy.write(other, f"{small.LIBRARY}  # sees the quay\n")
    example(needy, f"NAME={small.NAME}")
    example(needy, f"NAME={small.NAME}", "REMOVE=1")
    assert f'    "{small.LIBRARY}", # sees the quay (app/features/quay)\n]\n' in needy.read("pyproject.toml")
    needy.write(other, "Zinnia_Lib==9.9\n")
    needy.git("checkout", "-q", "pyproject.toml")
    said = example(needy, f"NAME={small.NAME}", status=2)
    assert f"pyproject.toml needs {small.LIBRARY}, and app/features/quay needs Zinnia_Lib==9.9." in said


def test_without_a_network_nothing_is_added(needy):
    fake_tools(needy, uv=FALSE)
    said = example(needy, f"NAME={small.NAME}", status=2)
    assert "no network" in said
    assert "try again with a network" in said


def test_a_clone_without_examples_says_where_they_are(needy):
    needy.git("rm", "-rq", "examples")
    assert "in the repository of the template" in example(needy)
    assert "There is no example 'harbor': none." in example(needy, f"NAME={small.NAME}", status=2)
