"""Runs code in a separate process, and returns what it logs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BEGIN = """
import logging, sys, threading, warnings
import structlog
from pydantic import SecretStr
from chassis.observability.logs import configure_logging
from chassis.settings import Settings
log = structlog.get_logger("tests")
def configure(**values):
    configure_logging(Settings(app_env="test", **values))
"""
# Imports once, and forks for each piece of code: a line of JSON with it and where its output goes.
FORK = """
import json, os
for line in sys.stdin:
    code, *files = json.loads(line)
    if not os.fork():
        break
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
else:
    sys.exit()
for number, file in enumerate(files, 1):
    os.dup2(os.open(file, os.O_WRONLY), number)
exec(code)
"""


class Written(list):
    """The lines on standard output, and the text on standard error."""

    def __init__(self, text: str, errors: str) -> None:
        super().__init__(text.splitlines())
        self.text, self.errors = text, errors

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in self]


@pytest.fixture(scope="session")
def forking():
    """A process that has imported the modules that the tests' code needs."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", BEGIN + FORK], cwd=ROOT, **pipes) as process:
        yield process


@pytest.fixture
def written(forking, tmp_path):
    """Return a function that runs Python code in a separate process and returns its output."""

    def run(code: str) -> Written:
        files = [tmp_path / name for name in ("stdout", "stderr")]
        for file in files:
            file.write_text("")
        print(json.dumps([code, *map(str, files)]), file=forking.stdin, flush=True)
        status = forking.stdout.readline()
        text, errors = (file.read_text() for file in files)
        assert status == "0\n", errors
        return Written(text, errors)

    return run
