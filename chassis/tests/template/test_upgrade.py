"""`make upgrade`: clones, copies without history and new repositories take a later version of the template."""

import shutil
import tomllib

import pytest

from chassis.tests.named import EXAMPLE, SLUG
from chassis.tests.template import small, versions
from chassis.tests.template.clones import NAME, NAME_SLUG, Clone, with_our_tools
from chassis.tests.template.versions import OWN, SITE, UNIT, UPGRADING

pytestmark = pytest.mark.long
WAYS = {"cloned": versions.cloned, "copied": versions.copied, "made": versions.made}
ENDS_OF_CONFLICT = ("<<<<<<< ", "=======", ">>>>>>> ")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return versions.template_in(tmp_path_factory.mktemp("template") / "clone")


@pytest.fixture(scope="module", params=WAYS)
def service(request, template, tmp_path_factory):
    """Return a service of the first version, each way there is to have one."""
    return WAYS[request.param](template, tmp_path_factory.mktemp("services") / "service")


@pytest.fixture(scope="module")
def tried(service, template):
    """Return what a dry run says, and what git sees afterwards."""
    said = service.make("upgrade", f"FROM={template.folder}", "TO=99.0.0", "DRY=1", status=2)
    return said, service.git("status", "--porcelain"), service.git("worktree", "list").count("\n")


@pytest.fixture(scope="module")
def upgraded(service, template, tried):
    """Return the service after an upgrade that left a conflict, and what the upgrade said."""
    return service, service.make("upgrade", f"FROM={template.folder}", "TO=v99.0.0", status=2)


def test_the_template_changed_more_than_eighteen_files(template):
    names = template.git("diff", "--name-only", "--no-renames", "chassis-v98.0.0", "chassis-v99.0.0").splitlines()
    assert len(names) >= 18


def test_only_the_line_that_both_changed_is_a_conflict(upgraded):
    service, said = upgraded
    assert service.git("diff", "--name-only", "--diff-filter=U") == SITE
    marked = [line for line in service.read(SITE).splitlines() if line.startswith(ENDS_OF_CONFLICT)]
    assert len(marked) == 3
    assert f"Conflicts, both sides changed the same lines:\n  {SITE}\n" in said


def test_the_chassis_is_the_new_one_and_the_name_is_ours(upgraded, template):
    service, _ = upgraded
    theirs = template.git(
        "ls-tree", "-r", "--format=%(objectmode) %(objectname) 0\t%(path)", "chassis-v99.0.0", "chassis"
    )
    assert service.git("ls-files", "--stage", "chassis") == theirs
    assert service.git("diff", "--name-only", "--", "chassis") == ""
    assert service.places(SLUG) == []
    assert f"# Also in /opt/{NAME_SLUG}/moat.\n" in service.read(UNIT.format(NAME_SLUG))
    assert service.read(f"deploy/moat/{NAME_SLUG}.yaml") == f"name: {NAME_SLUG}\n"


def test_what_was_deleted_stays_away(upgraded):
    service, said = upgraded
    for name in (
        f"app/features/{EXAMPLE}",
        small.FOLDER,
        "examples/moat",
        "deploy/supervisor",
        "deploy/caddy/Caddyfile",
        "chassis/docs/performance.md",
    ):
        assert not (service.folder / name).exists()
    assert "Left out, since it was deleted here or is a new example:\n" in said
    assert f"  deploy/caddy/Caddyfile\n  deploy/supervisor/more.conf\n  deploy/supervisor/{NAME_SLUG}.conf\n" in said


def test_what_is_ours_stays_and_the_rim_has_both(upgraded):
    service, _ = upgraded
    text = service.read("app/__init__.py")
    assert text.startswith('"""The moat, and this service')
    assert 'version="1.4.0", parts=("accounts",))' in text
    assert 'version = "1.4.0"' in service.read("pyproject.toml")
    assert "preview = false" in service.read("pyproject.toml")
    assert service.read("README.md") == f"# {NAME}\n\nOur own words.\n"
    assert "template's" not in service.read("CHANGELOG.md")
    assert (service.folder / OWN).is_file()
    assert "# Our line." in (both := service.read("Dockerfile"))
    assert "# The template's last line." in both
    assert service.run("make", "moat") == "dug\n"
    assert "# The template's line." in service.read("requirements.txt")


def test_the_notes_and_the_settings_between_the_versions_are_printed(upgraded):
    _, said = upgraded
    assert "UPGRADING ## 99.0.0\n\nThe moat is deeper.\n" in said
    assert "98.0.0\n\nThe moat is there" not in said
    assert "  new: MOAT_METRES=7\n" in said
    assert UPGRADING.startswith("# Upgrading")


def test_a_dry_run_says_the_same_and_changes_nothing(tried):
    said, changes, worktrees = tried
    assert f"Conflicts, both sides changed the same lines:\n  {SITE}\n" in said
    assert "Nothing was changed: 98.0.0 to chassis-v99.0.0." in said
    assert (changes, worktrees) == ("", 0)


def test_the_next_upgrade_begins_where_this_one_ended(upgraded, tmp_path):
    later = Clone(shutil.copytree(upgraded[0].folder, tmp_path / "later", symlinks=True))
    later.git("checkout", "--ours", SITE)
    later.commit("Upgrade")
    assert "This is chassis-v99.0.0 already." in later.make("upgrade", "TO=99.0.0")
    with_our_tools(later)
    said = later.make("upgrade")
    assert "99.0.0 to chassis-v99.1.0" in said
    assert "make docs" not in said
    assert "MOAT_METRES" not in later.read(".env.example")
    assert EXAMPLE not in later.read("docs/configuration.md").lower()
    assert later.read("deploy/moat/more.yaml") == f"name: {NAME_SLUG}-more\n"
    assert later.git("diff", "--cached", "--name-only", "--", "deploy") == "deploy/moat/more.yaml"
    assert tomllib.loads(later.read(".template"))["tag"] == "chassis-v99.1.0"
