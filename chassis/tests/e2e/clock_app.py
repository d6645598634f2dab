"""The application of a machine whose clock jumps: by as many seconds as the file CLOCK_OFFSET says."""

import os
import time
from pathlib import Path

OFFSET, now = Path(os.environ["CLOCK_OFFSET"]), time.time
time.time = lambda: now() + float(OFFSET.read_text() or 0)

from app import create_app  # noqa: E402 - with the clock as it is now

app = create_app()
