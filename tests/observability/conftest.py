"""What a process writes when it logs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
import logging, sys, threading, warnings
import structlog
from pydantic import SecretStr
from app.observability.logs import configure_logging
from app.settings import Settings
log = structlog.get_logger("tests")
def configure(**values):
    configure_logging(Settings(app_env="test", **values))
"""


class Written(list):
    """The lines of standard output, and what standard error got."""

    def __init__(self, run: subprocess.CompletedProcess) -> None:
        super().__init__(run.stdout.splitlines())
        self.text, self.errors = run.stdout, run.stderr

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in self]


@pytest.fixture
def written():
    """Return a function that runs Python code in a process of its own and gives what it wrote."""

    def run(code: str) -> Written:
        command = [sys.executable, "-c", BEGIN + code]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_SECONDS)
        assert done.returncode == 0, done.stderr
        return Written(done)

    return run
