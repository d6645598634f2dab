"""A service from the clone to its second upgrade: each command of README, with a stopwatch (`pytest -s` shows it)."""

import contextlib
import shutil
import time

import pytest

from chassis.tests.conftest import page, same_in_every_mode, serve, tool
from chassis.tests.named import EXAMPLE, SLUG
from chassis.tests.template import versions
from chassis.tests.template.clones import NAME, Clone, with_our_tools

__all__ = ["page", "serve", "tool"]
pytestmark = [pytest.mark.long, pytest.mark.timeout(3_600), same_in_every_mode]
FEATURE = ("albums", "--table", "title:text photos:int", "--upload", "--job", "--live", "--page")


class Stopwatch:
    """How long each step took."""

    def __init__(self):
        self.steps = {}

    @contextlib.contextmanager
    def __call__(self, step):
        began = time.monotonic()
        yield
        self.steps[step] = time.monotonic() - began

    def __str__(self):
        return "\n".join(["", *(f"{seconds:7.1f} s  {step}" for step, seconds in self.steps.items())])


@pytest.fixture
def service(tmp_path):
    """A clone of a template that has moved on by two tags since; its tools are those of this run."""
    template = versions.template_in(tmp_path / "template")
    template.git("clone", "-q", "--branch", "chassis-v98.0.0", str(template.folder), str(tmp_path / "service"))
    return Clone(tmp_path / "service")


@pytest.fixture
def watch(capsys):
    """A stopwatch that is read out at the end."""
    one = Stopwatch()
    yield one
    with capsys.disabled():
        print(one)


def strip(service):
    """Delete the example, as README says."""
    shutil.rmtree(service.folder / "app/features" / EXAMPLE, ignore_errors=True)
    ready(service)
    service.run("make", "docs")


def ready(service):
    """Give the service this run's tools, also after its locks were written."""
    with_our_tools(service)


def checked(service, watch, when):
    """Run what `make lint` and `make test-app` run."""
    with watch(f"make lint {when}"):
        service.run("make", "lint", seconds=None)
    with watch(f"make test-app {when}"):
        said = service.run("make", "test-app", seconds=None)
    assert " passed in " in said
    assert " failed" not in said


def upgraded(service, tmp_path, tag):
    """Upgrade and commit; there is no conflict."""
    said = service.make("upgrade", f"FROM={tmp_path}/template", f"TO={tag}")
    assert f"to chassis-v{tag}." in said
    ready(service)
    service.commit(f"Upgrade to {tag}")


def add_album(server, page, title):
    """Add an album in the page, and leave it before the server ends."""
    page.goto(f"{server.url}/albums")
    page.fill("#field-title", title)
    page.fill("#field-photos", "3")
    page.click("#new button")
    page.wait_for_selector(f"#list td:has-text('{title}')")
    assert page.problems == []
    page.goto("about:blank")


def test_from_the_clone_to_the_second_upgrade(service, tmp_path, serve, page, watch):
    with watch("rename"):
        service.make("rename", f"NAME={NAME}")
    with watch("delete the example"):
        strip(service)
    with watch("flask new feature"):
        service.run(".venv/bin/flask", "new", "feature", *FEATURE)
    service.commit("Add albums")
    assert service.places(SLUG) == []
    checked(service, watch, "of the new feature")
    with watch("start to page"):
        command = ["bash", "-c", f"cd {service.folder} && exec .venv/bin/python run_web.py"]  # as `make run` does
        server = serve(command=command, empty=True)
        add_album(server, page, "At the sea")
    assert server.stop() == 0
    for tag in ("99.0.0", "99.1.0"):
        with watch(f"upgrade to {tag}"):
            upgraded(service, tmp_path, tag)
    checked(service, watch, "after two upgrades")
    server.start()
    server.wait_ready()
    add_album(server, page, "In the hills")
    assert [album["title"] for album in server.json("/api/albums")["items"]] == ["In the hills", "At the sea"]
    assert server.json("/api/openapi.json")["info"]["title"] == NAME
    assert server.stop() == 0
