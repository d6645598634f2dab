"""`make rename` in clones: everything that carries the name, nothing else, and again."""

import ast

import pytest

from chassis.base.service import current
from chassis.tests.named import SLUG
from chassis.tests.template.clones import NAME, NAME_SLUG, NEVER, clone_of_this, with_our_tools

OLD = current().name
TWO = "-".join(("quokka", "works"))
STATIC = (
    "chassis/tests/test_names.py",
    "chassis/tests/deploy/test_kubernetes.py",
    "chassis/tests/deploy/test_kubernetes_scaled.py",
    "chassis/tests/deploy/test_prometheus.py",
    "chassis/tests/deploy/test_logrotate.py",
    "chassis/tests/deploy/test_log_shipping.py",
    "chassis/tests/deploy/test_systemd.py",
    "chassis/tests/deploy/test_systemd_instances.py",
    "chassis/tests/deploy/test_systemd_switch.py",
    "tests/test_service.py",
)
REFUSED = {
    "": "Give a name",
    "Class": "keyword of Python",
    "True": "keyword of Python",
    "Docs": "a folder here",
    "Gunicorn": "a library in the lock",
    "Flask SocketIO": "a library in the lock",
    "3 Monkeys": "first a letter",
    "日本": "first a letter",
    "a" * 41: "more than 40",
    "a" * 36: "more than 32",
    "Worker": "is a word in",
    "Network-Policy": "is a word in",
    "Off": "no text in YAML",
    "Root": "user of every Linux system",
    'Acme "Lab"': "a character that files cannot hold",
    "Acme\tLab\a": "a character that files cannot hold",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return clone_of_this(tmp_path_factory.mktemp("template") / "clone")


@pytest.fixture
def clone(shared):
    """Return the clone as it was committed first."""
    shared.git("reset", "-q", "--hard", "main")
    shared.git("clean", "-qfd")
    shared.git("checkout", "-q", "--detach", "main")
    return shared


def test_a_rename_leaves_nothing_of_the_old_name_and_says_what_it_changed(clone):
    said = clone.make("rename", f"NAME={NAME}")
    clone.git("add", "--all")
    changed = clone.git("diff", "--cached", "--name-only", "--no-renames", "--diff-filter=d").splitlines()
    assert sorted(line.rpartition(" -> ")[2] for line in said.splitlines()[:-1]) == changed
    assert said.splitlines()[-1] == f"{OLD} ({SLUG}) is now {NAME} ({NAME_SLUG}): {len(changed)} files changed."
    assert not [name for name in changed if name.startswith(NEVER)]
    assert clone.places(SLUG) == []
    assert clone.read("README.md").startswith(f"# {NAME}\n")
    assert f'Service(name="{NAME}", version=' in clone.read("app/__init__.py")
    assert (clone.folder / f"deploy/systemd/{NAME_SLUG}-db@.service").is_file()


def test_a_rename_again_changes_nothing_and_back_restores_every_byte(clone):
    clone.make("rename", f"NAME={NAME}")
    once = clone.commit("Rename")
    assert clone.make("rename", f"NAME={NAME}") == f"The service is {NAME} ({NAME_SLUG}) already.\n"
    assert clone.git("status", "--porcelain") == ""
    clone.make("rename", "NAME=Quokka", f"SLUG={TWO}")
    assert clone.places("zinnia") == []
    assert f'Service(name="Quokka", slug="{TWO}", version=' in clone.read("app/__init__.py")
    clone.make("rename", f"NAME={NAME}")
    clone.git("add", "--all")
    assert clone.git("diff", "--cached", "--stat", once) == ""


def test_a_shorter_name_of_the_same_word_can_be_taken(clone):
    clone.make("rename", f"NAME={NAME}")
    clone.make("rename", "NAME=Zinnia")
    clone.commit("Rename")
    assert clone.places(NAME_SLUG) == []
    assert "name: zinnia-worker\n" in clone.read("deploy/kubernetes/worker/deployment.yaml")


@pytest.mark.parametrize("name", REFUSED, ids=range(len(REFUSED)))
def test_a_name_that_cannot_be_used_is_refused_before_any_edit(clone, name):
    assert f"Nothing was renamed. {'' if name else 'Give'}" in (said := clone.make("rename", f"NAME={name}", status=2))
    assert REFUSED[name] in said
    assert clone.git("status", "--porcelain") == ""


def test_without_a_name_the_name_of_the_machine_is_not_taken(clone):
    assert "Give a name" in clone.make("rename", status=2)


def test_hosts_of_that_name_prose_and_private_files_stay(clone):
    clone.make("rename", "NAME=Zinnia")
    clone.write("docs/own.md", "Zinnia, a flower: a zinnia blooms. `systemctl status zinnia`\n\n    cd /opt/zinnia\n")
    clone.write("deploy/own.conf", "server_name zinnia.example.org www.zinnia.org;\ninclude zinnia.conf;\n")
    clone.write(".env", "MAIL=ops@zinnia.example.org\nPATH=/opt/zinnia\n")
    clone.make("rename", "NAME=Quokka")
    assert (
        clone.read("docs/own.md")
        == "Zinnia, a flower: a zinnia blooms. `systemctl status quokka`\n\n    cd /opt/quokka\n"
    )
    assert clone.read("deploy/own.conf") == "server_name zinnia.example.org www.zinnia.org;\ninclude quokka.conf;\n"
    assert clone.read(".env") == "MAIL=ops@zinnia.example.org\nPATH=/opt/zinnia\n"


def test_a_long_name_is_written_as_the_formatter_would(clone):
    clone.make("rename", f"NAME={'Zinnia ' * 5}Harb", f"SLUG={NAME_SLUG}-of-the-long-names")
    with_our_tools(clone)
    clone.run(".venv/bin/ruff", "format", "--check", "--no-cache", "app/__init__.py")
    assert ast.parse(clone.read("app/__init__.py"))


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_a_renamed_clone_passes_its_lint_and_the_static_tests(clone):
    clone.make("rename", f"NAME={NAME}", "SLUG=zinnia")
    with_our_tools(clone)
    clone.commit("Rename")
    clone.run("make", "lint", seconds=None)
    clone.run(".venv/bin/python", "-m", "pytest", "-q", "-m", "not long", *STATIC, seconds=None)
