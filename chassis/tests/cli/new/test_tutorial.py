"""The tutorial, typed step by step into a clone whose server runs, and all that it shows compared."""

import contextlib

import pytest

from chassis.tests.cli.new.tutorial import before_and_after, matches, steps
from chassis.tests.conftest import ROOT, page, same_in_every_mode, serving, tool
from chassis.tests.documents import anchors, blocks
from chassis.tests.patience import wait_until
from chassis.tests.template.clones import clone_of_this, with_our_tools

__all__ = ["page", "tool"]
TUTORIAL = "chassis/docs/adding-a-feature.md"
EARLIER = (  # the headings before the reference was a document of its own
    *("a-feature-in-one-file", "begin-with-the-generator", "events", "hooks", "rooms-that-miss-nothing", "routes"),
    *("static-files-and-compression", "stream-an-answer", "take-and-serve-files", "the-rest", "who-is-in-a-room"),
    "who-may-do-what",
)
STEPS = steps((ROOT / TUTORIAL).read_text())


class Reader:
    """Somebody who types what the tutorial says."""

    def __init__(self, clone, server):
        self.clone, self.server, self.seen = clone, server, 0

    def follow(self, step):
        """Do a step, and compare what it shows."""
        getattr(self, step.kind)(step)

    def command(self, step):
        """Type a command; one that asks the server is repeated until the server has restarted after a change."""
        if step.subject.startswith("curl "):
            self.ask(step)
        elif step.subject not in ("make dev", ". .venv/bin/activate"):  # typed before the first step
            printed = self.typed(step.subject)
            assert not step.text or matches(step.text, printed), f"{step.subject}\n{printed}"

    def ask(self, step):
        """Repeat a request until its answer is the one that is shown; a server that restarts has twice the time."""
        printed = []

        def fits():
            printed.append(self.typed(step.subject))
            return matches(step.text, printed[-1])

        with contextlib.suppress(AssertionError):
            wait_until(lambda: fits() or self.server.log.count("Booting worker") > self.seen)
        wait_until(fits, step.text + printed[-1])
        self.seen = self.server.log.count("Booting worker")

    def typed(self, command):
        """Return what a command prints in the clone, with its virtual environment and the server's database."""
        at = f"DATABASE_URL={self.server.env['DATABASE_URL']} PATH=$PWD/.venv/bin:$PATH"
        command = command.replace("http://127.0.0.1:5000", self.server.url)
        asks = command.startswith("curl ")
        return self.clone.run("bash", "-c", f"export {at}; {command}", status=None if asks else 0, seconds=None)

    def file(self, step):
        """Write a file that does not exist, and compare one that does."""
        if not (self.clone.folder / step.subject).exists():
            self.clone.write(step.subject, step.text)
        assert self.clone.read(step.subject) == step.text

    def change(self, step):
        """Change lines that are there once."""
        before, after = before_and_after(step.text)
        assert self.clone.read(step.subject).count(before or after) == 1, step
        self.clone.change(step.subject, before, after)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A reader who has done everything."""
    folder = tmp_path_factory.mktemp("tutorial")
    clone = clone_of_this(folder / "clone")
    with_our_tools(clone)
    command = ["bash", "-c", f"cd {clone.folder} && exec .venv/bin/python run_web.py --dev"]  # as `make dev` does
    with serving(folder) as serve:
        reader = Reader(clone, serve(command=command, APP_ENV="development"))
        for step in STEPS:
            reader.follow(step)
        yield reader
        assert reader.server.stop() == 0


def in_the_clone(test):
    """Mark a test that needs a reader."""
    for mark in (pytest.mark.long, pytest.mark.server, pytest.mark.timeout(3_600), same_in_every_mode):
        test = mark(test)
    return test


def test_each_kind_of_step_is_found():
    assert {step.kind for step in STEPS} == {"command", "file", "change"}
    assert all(step.subject for step in STEPS)
    assert STEPS[0].subject == "make dev"


@pytest.mark.parametrize("anchor", EARLIER)
def test_links_to_what_stood_here_lead_on(anchor):
    assert anchor in anchors((ROOT / TUTORIAL).read_text())


def test_an_output_with_gaps_is_compared():
    assert matches("a\n...\n2 passed in ...\n", "a\nb\nc\n2 passed in 3s")
    assert not matches("a\n...\n2 passed in ...\n", "a\nb\n1 failed, 1 passed in 3s")


@in_the_clone
def test_every_step_does_what_it_shows(reader, page):
    page.goto(f"{reader.server.url}/albums")
    page.wait_for_selector("#list th[data-name=cover]")
    page.fill("#field-title", "At the sea")
    page.fill("#field-photos", "501")
    page.click("#new button")
    page.wait_for_selector("#error:has-text('at most 500 photos')")
    page.fill("#field-photos", "5")
    page.click("#new button")
    page.wait_for_selector("#list td:has-text('At the sea')")
    assert reader.typed("flask db status") == "The database is up to date.\n"


@in_the_clone
def test_the_chapter_about_tests_passes_in_the_tutorial_s_feature(reader):
    (block,) = blocks("chassis/docs/features-reference.md", "Testing a feature")
    reader.clone.write("app/features/albums/tests/test_chapter.py", block)
    reader.typed("ruff check --no-cache app && ruff format --check --no-cache app")
    assert "6 passed" in reader.typed("python -m pytest app/features/albums/tests/test_chapter.py")
