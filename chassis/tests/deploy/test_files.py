"""The deployment files, checked by the tools that know their formats."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run(*command):
    found = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_the_gate_is_sound_shell(tool):
    run(tool("shellcheck"), ".ci/run")


def test_help_lists_every_target():
    listed = run("make", "help")
    for target in ("run", "test", "test-all", "lint", "format", "docs", "lock", "help"):
        assert f"make {target} " in listed
