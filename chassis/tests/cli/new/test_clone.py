"""A clone to which every command of `flask new` writes: its lint, and the tests that were written, on real servers."""

import pytest

from chassis.tests.conftest import same_in_every_mode
from chassis.tests.template.clones import clone_of_this, with_our_tools

pytestmark = [pytest.mark.long, pytest.mark.server, pytest.mark.timeout(3_600), same_in_every_mode]
EVERY = "title:text copies:int weight:float public:bool day:date at:time extra:json"
COMMANDS = [
    f'flask new feature photo_books --table "{EVERY}" --upload --job --live --page',
    "flask new feature bare",
    "flask new feature rooms --upload --job --live --page",
    'flask new feature boxes --table "size:int" --upload --page',
    "flask new event bare typing",
    "flask new job bare count",
]


def shell(clone, line):
    return clone.run("bash", "-c", f"PATH=$PWD/.venv/bin:$PATH; {line}", seconds=None)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone with features of all options, and of none; test_tutorial.py writes that of the tutorial."""
    clone = clone_of_this(tmp_path_factory.mktemp("new") / "clone")
    with_our_tools(clone)
    for line in COMMANDS:
        assert "wrote    app/features/" in shell(clone, line)
    return clone


def test_its_lint_has_nothing_to_say(clone):
    shell(clone, "ruff check --no-cache . && ruff format --check --no-cache . && mypy && lint-imports")
    shell(clone, "flask settings docs --check && python deploy/audit.py code")


def test_nothing_but_features_and_documents_was_written(clone):
    changed = clone.git("status", "--porcelain", "--untracked-files=all").splitlines()
    names = {line.split()[-1] for line in changed if "/features/" not in line}
    assert names == {"docs/configuration.md", ".env.example"}


def test_the_tests_that_were_written_pass(clone):
    own = sorted(path.name for path in (clone.folder / "app/features").iterdir() if (path / "tests").is_dir())
    folders = [f"app/features/{name}" for name in own if not clone.git("ls-files", f"app/features/{name}")]
    assert len(folders) == 4
    said = shell(clone, f"python -m pytest -v {' '.join(folders)}")
    assert " passed in " in said
    assert " skipped" not in said


def test_a_change_of_the_tables_becomes_a_migration_that_is_applied(clone):
    more = '    Column("cover", Text, nullable=False, server_default=""),\n    Column("created_at"'
    clone.change("app/features/photo_books/tables.py", '    Column("created_at"', more)
    write = 'flask new migration photo_books "books have a cover"'
    assert "wrote    app/features/photo_books/migrations/0002_books_have_a_cover.py" in shell(clone, write)
    assert "migrated  photo_books: nothing -> 0002" in shell(clone, "flask db upgrade")
    assert "Nothing to write" in shell(clone, write)
