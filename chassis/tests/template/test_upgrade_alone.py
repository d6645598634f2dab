"""`make upgrade` in a clone that changed little: what it refuses, before any change, and locks of one's own."""

import os

import pytest

from chassis.tests.template import versions
from chassis.tests.template.clones import Clone

pytestmark = pytest.mark.long
UV = '#!/bin/sh\nfor file; do :; done\necho "# made anew" >"$file"\n'


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return versions.template_in(tmp_path_factory.mktemp("template") / "clone")


@pytest.fixture
def clone(template, tmp_path):
    """Return a clone of the first version, as it is."""
    template.git("clone", "-q", "--branch", "chassis-v98.0.0", str(template.folder), str(tmp_path / "clone"))
    return Clone(tmp_path / "clone")


def refused(clone, *given):
    """Return why an upgrade was refused, after a look that it changed nothing."""
    before = clone.git("rev-parse", "HEAD"), clone.git("status", "--porcelain")
    said = clone.make("upgrade", *given, status=2)
    assert (clone.git("rev-parse", "HEAD"), clone.git("status", "--porcelain")) == before
    assert "Nothing was upgraded. " in said
    return said


def test_it_is_refused_with_changes_that_are_not_committed(clone, template):
    clone.write("docs/own.md", "new")
    assert "uncommitted changes" in refused(clone, f"FROM={template.folder}")


def test_it_is_refused_without_a_template_or_its_version(clone, template, tmp_path):
    assert "give FROM=" in refused(clone)
    assert "git fetch: " in refused(clone, f"FROM={tmp_path}/nowhere")
    assert "no version '98.5.0'" in refused(clone, f"FROM={template.folder}", "TO=98.5.0")


def test_an_edited_chassis_stops_it_and_is_shown(clone, template):
    clone.write("chassis/errors.py", clone.read("chassis/errors.py") + "EDITED = True\n")
    clone.commit("Edit")
    said = refused(clone, f"FROM={template.folder}")
    assert "+EDITED = True\n" in said
    assert "chassis/ was edited" in said


def test_a_clone_that_changed_nothing_becomes_the_new_version(clone, template):
    said = clone.make("upgrade", f"FROM={os.path.relpath(template.folder, clone.folder)}", "TO=chassis-v99.0.0")
    assert "make docs" in said
    clone.commit("Upgrade")
    differ = clone.git("diff", "--name-only", "refs/template/tags/chassis-v99.0.0").splitlines()
    new = "examples/moat/__init__.py"
    assert differ == [".env.example", ".template", "CHANGELOG.md", "app/__init__.py", new, "pyproject.toml"]
    assert "  examples/moat/\n" in said
    assert str(template.folder) in clone.read(".template")


def test_locks_of_our_own_are_made_anew(clone, template):
    clone.write("requirements.txt", clone.read("requirements.txt") + "# ours\n")
    clone.commit("Require more")
    for name, text in (("uv", UV), ("python", "#!/bin/sh\n"), ("../installed-dev", "")):
        clone.write(f".venv/bin/{name}", text)
        (clone.folder / f".venv/bin/{name}").chmod(0o755)
    said = clone.make("upgrade", f"FROM={template.folder}", "TO=99.0.0")
    assert "make lock" not in said
    assert {clone.read(name) for name in ("requirements.txt", "requirements-dev.txt")} == {"# made anew\n"}


def test_without_tools_the_locks_stay_and_the_command_is_named(clone, template):
    clone.write("requirements.txt", clone.read("requirements.txt") + "# ours\n")
    clone.commit("Require more")
    assert "    make lock\n    make docs\n" in clone.make("upgrade", f"FROM={template.folder}", "TO=99.0.0")
    assert clone.read("requirements.txt").endswith("# ours\n")
