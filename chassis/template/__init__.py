"""What a template does for its clones: `make rename`, `make new`, `make example` and `make upgrade`.

Runs under a plain Python with git beside it, before anything is installed; imports no room of the chassis.
"""

import sys


class Refused(Exception):
    """A sentence that says why nothing was changed."""


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
