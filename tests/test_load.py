"""`make load` drives a real server as the page does, and nothing fails."""

import re
import subprocess

import pytest

from tests.conftest import CLEAN, ROOT
from tests.documents import blocks
from tests.patience import LIMIT_SECONDS

INSTALLED = ("--no-print-directory", "-o", ".venv/installed-dev")
ROW = re.compile(r"^(?:GET|POST|SOCKET)\s+(\S.*?)\s+(\d+)\s+(\d+)\(", re.MULTILINE)


@pytest.mark.long
def test_a_few_users_for_a_few_seconds_meet_no_failure(serve):
    server = serve()
    make, *words = blocks("docs/performance.md", "Users of the page")[0].split()
    assert words == ["load", "URL=http://127.0.0.1:5000", "USERS=50", "SECONDS=30"]
    command = [make, *INSTALLED, "load", f"URL={server.url}", "USERS=4", "SECONDS=6"]
    options = {"cwd": ROOT, "env": CLEAN, "capture_output": True, "text": True, "timeout": LIMIT_SECONDS}
    done = subprocess.run(command, **options, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    counted = {name: (int(asked), int(failed)) for name, asked, failed in ROW.findall(said)}
    assert counted.keys() >= {"/", "/api/jobs", "connect", "job:unsubscribe"}, said
    assert counted["connect"] == (4, 0)
    assert ("batch of 5, followed" in counted) == (ROOT / "app/features/predictions").exists()
    assert not [name for name, (_, failed) in counted.items() if failed], said
