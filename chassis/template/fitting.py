"""Makes the locks and documents of a new repository fit its features, by the tools of the repository it comes from."""

import subprocess
from pathlib import Path

from chassis.template import requirements

DOCUMENT = ("-m", "flask", "settings", "docs")


def fit(source: Path, made: Path, undocumented: bool) -> list[str]:
    """Write what features changed, as far as the tools are there; return the commands that are left to run."""
    tools, left = source.resolve() / ".venv/bin", list[str]()
    if requirements.write(made) and not _ran(made, "make", "-s", "-o", ".venv/installed-dev", "lock", f"BIN={tools}"):
        left.append("make lock")
    if undocumented and (left or not _ran(made, f"{tools}/python", *DOCUMENT)):
        left.append("make docs")
    return left


def _ran(made: Path, *command: str) -> bool:
    try:
        return not subprocess.run(command, cwd=made, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return False
