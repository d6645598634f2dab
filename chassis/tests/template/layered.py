"""A virtual environment of a clone's own, over ours: what its locks need beyond ours is installed into it alone."""

import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

OURS = Path(sys.executable).parent
PLAIN = {"python", "python3", "pip", "pip3"}


def make(clone):
    """Make the environment, with our tools in it."""
    place = clone.folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True, capture_output=True)
    python = place / "bin/python"
    site = next((place / "lib").glob("python*/site-packages"))
    (site / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for tool in OURS.iterdir():
        if tool.is_file() and tool.name not in PLAIN and not (place / "bin" / tool.name).exists():
            shutil.copy2(tool, place / "bin" / tool.name)
            _point(place / "bin" / tool.name, python)
    (place / "installed").touch()
    (place / "installed-dev").touch()


def _point(tool, python):
    """Let a script run under another Python."""
    first, end, rest = tool.read_bytes().partition(b"\n")
    if first.startswith(b"#!") and b"python" in first:
        tool.write_bytes(b"#!" + str(python).encode() + end + rest)
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
