"""What patched code may rely on, whatever the version of Python."""

import subprocess
import sys

from tests.conftest import CLEAN, ROOT
from tests.patience import LIMIT_SECONDS

JOIN = f"""
from app.server.worker import patch
patch()
import threading, time
ended = threading.Event()
thread = threading.Thread(target=ended.wait, daemon=True)
thread.start()
thread.join(0.05)
assert thread.is_alive(), "a join's timeout returns"
ended.set()
thread.join({LIMIT_SECONDS})
assert not thread.is_alive()
thread.join()
print("joined")
"""


def test_a_join_with_a_timeout_returns_as_without_patches():
    command, options = [sys.executable, "-c", JOIN], {"cwd": ROOT, "env": CLEAN, "capture_output": True, "text": True}
    ran = subprocess.run(command, **options, timeout=LIMIT_SECONDS)
    assert ran.stdout == "joined\n", ran.stderr
