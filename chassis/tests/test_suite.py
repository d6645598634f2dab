"""How the suite is run: what fails once is told as unsteady, what fails twice fails, in any order, beside any work."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import CLEAN, ROOT
from chassis.tests.suite import groups, order, unsteady

FLAKY = """import pathlib


def test_once():
    seen = pathlib.Path("seen")
    before = seen.exists()
    seen.touch()
    assert before, "the first time"
"""
FIXTURES = '    "chassis.tests.suite.feature",\n'  # they need the chassis, of which there is only this folder
PARALLEL = ("-p", "xdist", "-n", "2", "--dist", "loadfile")
BROKEN = "def test_broken():\n    assert not 'twice'\n"
WHERE = "import os, pathlib\n\n\ndef test():\n    pathlib.Path('process.{number}').write_text(str(os.getpid()))\n"
NAMED = "".join(f"def test_{name}():\n    pass\n\n\n" for name in "abcdefgh")


@pytest.fixture
def suite(tmp_path):
    """Return a function that runs a suite of the given test files, as `make test` runs this one."""
    shutil.copytree(
        ROOT / "chassis/tests/suite", tmp_path / "chassis/tests/suite", ignore=shutil.ignore_patterns("__pycache__")
    )
    plugins = (ROOT / "conftest.py").read_text().replace(FIXTURES, "")
    (tmp_path / "conftest.py").write_text(plugins)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = server: starts one\n")
    (tmp_path / "chassis/tests/unsteady.txt").write_text("# none\n")

    def run(*options, known="", env=None, **files):
        for name, text in files.items():
            (tmp_path / f"chassis/tests/test_{name}.py").write_text(text)
        if known:
            (tmp_path / "chassis/tests/unsteady.txt").write_text(known)
        command = [sys.executable, "-m", "chassis.tests.suite", "-p", "no:cacheprovider", *options]
        wanted = {**CLEAN, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **(env or {})}  # most plugins take long to load
        return subprocess.run(
            command, cwd=tmp_path, env=wanted, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )

    return run


def test_what_passes_alone_is_unsteady_and_fails_nothing(suite, tmp_path):
    done = suite(
        "-p", "xdist", "-n", "2", "--dist", "loadfile", flaky=FLAKY, env={"TEST_UNSTEADY": str(tmp_path / "told")}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unsteady: chassis/tests/test_flaky.py::test_once (new: a defect, mend it)" in done.stdout
    assert "AssertionError: the first time" in done.stdout.partition("unsteady: ")[2]
    assert (tmp_path / "told").read_text().count("\n") == 1


def test_what_fails_twice_fails_though_another_was_unsteady(suite):
    known = "# the known\nchassis/tests/test_flaky.py::test_once # a file that is not there yet\n"
    done = suite(flaky=FLAKY, broken=BROKEN, known=known)
    assert done.returncode == 1
    assert "unsteady: chassis/tests/test_flaky.py::test_once (a file that is not there yet)" in done.stdout
    assert "unsteady: chassis/tests/test_broken.py" not in done.stdout


def test_a_failure_with_half_a_surrogate_pair_does_not_end_a_parallel_run(suite):
    half = (
        "import logging\n\n\ndef test_half():\n    logging.warning('\\ud800')\n    assert '\\ud800' == 'a whole one'\n"
    )
    done = suite(*PARALLEL, half=half)
    assert done.returncode == 1
    assert "a whole one" in done.stdout
    assert "INTERNALERROR" not in done.stdout


def test_one_process_runs_the_files_that_share_servers(suite, tmp_path):
    folder = tmp_path / groups.FOLDERS_OF / "room"
    folder.mkdir(parents=True)
    for number in range(6):
        (folder / f"test_{number}.py").write_text(WHERE.format(number=number))
    assert suite(*PARALLEL, first=NAMED, second=NAMED).returncode == 0
    assert len({path.read_text() for path in tmp_path.glob("process.*")}) == 1
    assert len(list(tmp_path.glob("process.*"))) == 6


def test_what_cannot_be_collected_fails(suite):
    assert suite(broken="import nothing_of_this_name\n").returncode not in (0, 1)


def test_many_failures_are_no_chance(monkeypatch, capsys):
    failures = [unsteady.Failure(f"test_{n}", "call", "") for n in range(unsteady.MOST + 1)]
    monkeypatch.setattr(unsteady, "passes_alone", lambda *_: pytest.fail("it was run again"))
    assert unsteady.run_again(failures) is False
    assert "too many" in capsys.readouterr().out


def test_orders_are_as_asked_and_a_seed_repeats_one(suite):
    def ran(**env):
        done = suite("-v", first=NAMED, second=NAMED, env=env)
        assert done.returncode == 0
        return re.findall(r"test_(\w+)\.py::test_(\w) PASSED", done.stdout)

    listed = ran()
    assert ran(TEST_ORDER="reversed") == listed[::-1]
    mixed = ran(TEST_ORDER="random", TEST_SEED="7")
    assert mixed == ran(TEST_ORDER="random", TEST_SEED="7")
    assert mixed != listed
    assert sorted(mixed) == sorted(listed)
    files = [name for name, _ in mixed]
    assert files in (sorted(files), sorted(files, reverse=True)), "a module's tests stay together"


def test_an_order_of_another_name_is_refused(monkeypatch):
    monkeypatch.setenv("TEST_ORDER", "backwards")
    with pytest.raises(pytest.UsageError, match="listed, reversed or random"):
        order.ordered([])


def test_busy_processes_run_beside_the_tests_and_end_with_them(suite, tmp_path):
    count = "from pathlib import Path\nimport os\n\n\ndef test_count():\n    parent = os.getppid()\n"
    count += "    children = Path(f'/proc/{parent}/task/{parent}/children').read_text().split()\n"
    count += "    others = [pid for pid in children if int(pid) != os.getpid()]\n"
    count += "    Path('pids').write_text(' '.join(others))\n    assert len(others) == 2\n"
    assert suite(count=count, env={"TEST_BUSY": "2"}).returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in (tmp_path / "pids").read_text().split())


@pytest.mark.skipif(os.geteuid() != 0, reason="a time namespace needs root")
def test_the_suite_runs_as_right_after_the_machines_start(suite, tool):
    tool("unshare", "util-linux")
    early = "import time\n\n\ndef test_early():\n    assert 2 < time.monotonic() < 100\n"
    done = suite(early=early, env={"TEST_UPTIME": "3"})
    assert done.returncode == 0, done.stdout + done.stderr


def steps(folder, *commands, **env):
    command = [sys.executable, "-m", "chassis.tests.suite.steps", *commands]
    return subprocess.run(command, cwd=ROOT, env={**CLEAN, **env}, capture_output=True, text=True, check=False)


def test_steps_are_told_and_end_with_a_table(tmp_path):
    inner = f"{sys.executable} -m chassis.tests.suite.steps 'true # inner'"
    note = 'echo "unsteady: one" >>$TEST_UNSTEADY'
    done = steps(tmp_path, "true # first", inner, note)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^=== .*steps.*\(the last step took 0:0\d\)$", done.stdout, re.MULTILINE)
    table = done.stdout.partition("=== steps\n")[2]
    assert re.search(r"^   0:0\d  true # first\n   0:0\d  .*\n     0:0\d  true # inner\n", table)
    assert table.endswith("=== unsteady tests\nunsteady: one\n")


def test_the_first_step_that_fails_ends_them(tmp_path):
    done = steps(tmp_path, "true", "exit 3", "echo never")
    assert done.returncode == 3
    assert "never" not in done.stdout
    assert re.search(r"0:0\d  exit 3  FAILED with status 3\n=== unsteady tests\nnone\n$", done.stdout)


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_list_of_unsteady_tests_only_shrinks():
    first = git("log", "--format=%H", "--diff-filter=A", "--", "chassis/tests/unsteady.txt").split()
    then = git("show", f"{first[-1]}:chassis/tests/unsteady.txt") if first else unsteady.KNOWN.read_text()
    assert set(unsteady.known(unsteady.KNOWN.read_text())) <= set(unsteady.known(then))


def test_every_unsteady_test_is_one_and_has_a_cause():
    for test, cause in unsteady.known(unsteady.KNOWN.read_text()).items():
        path, _, name = test.partition("::")
        assert name.partition("[")[0] in (ROOT / path).read_text()
        assert cause


def test_failures_are_read_as_they_were_noted(tmp_path):
    lines = [{"test": "a", "when": "setup", "text": "1"}, {"test": "a", "when": "teardown", "text": "2"}]
    (tmp_path / "failures").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [failure.when for failure in unsteady.read(tmp_path / "failures")] == ["setup"]
