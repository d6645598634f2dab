"""What `run_web.py --dev` tells the server and its pages: the number of the last change, and what is wrong with it."""

import json
import os
from pathlib import Path

STATE_FILE = "_DEV_STATE"  # the environment variable that names the file


class State:
    """A file with the number of changes and the error of the last one; one process writes it, others read it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, int | str]:
        """Return `version` and `error`, which is empty if there is none."""
        try:
            found: dict[str, int | str] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {"version": 0, "error": ""}
        return found

    def write(self, error: str) -> None:
        """Count one more change; the file is replaced in one step."""
        content = {"version": int(self.read()["version"]) + 1, "error": error}
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(content))
        new.replace(self.path)


def current() -> State | None:
    """Return the state that `run_web.py --dev` writes, or None in any other server."""
    path = os.environ.get(STATE_FILE)
    return State(Path(path)) if path else None
