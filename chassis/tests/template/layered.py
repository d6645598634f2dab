"""A virtual environment of a clone's own, over ours: what its examples need beyond ours is installed into it alone."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from chassis.template import requirements
from chassis.tests.servers import ROOT
from chassis.tests.template.clones import with_our_cache

OURS = Path(sys.executable).parent
PLAIN = {"python", "python3", "pip", "pip3", "uv"}
PINS = re.compile(r"^[\w.-]+==[^ ;\\]+", re.MULTILINE)
NOTHING = "#!/bin/sh\n"  # in place of uv: these tests resolve no locks, which needs an index that uv knows


def make(clone):
    """Make the environment, with our tools in it; those of them that are scripts run under its Python."""
    place = clone.folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True, capture_output=True)
    site = next((place / "lib").glob("python*/site-packages"))
    (site / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for tool in OURS.iterdir():
        if tool.is_file() and tool.name not in PLAIN and not (place / "bin" / tool.name).exists():
            shutil.copy2(tool, place / "bin" / tool.name)
            _point(place / "bin" / tool.name, place / "bin/python")
    clone.write(".venv/bin/uv", NOTHING)
    (place / "bin/uv").chmod(0o755)
    for mark in ("installed", "installed-dev"):
        (place / mark).touch()
    with_our_cache(clone)


def required(clone, name):
    """Return an example's files of requirements."""
    paths = (clone.folder / "examples" / name / file for file in requirements.FILES)
    return [path for path in paths if path.is_file()]


def install(clone, names):
    """Install what examples need, in versions that fit the locks; return whether that could be done."""
    pins = PINS.findall((ROOT / "requirements-dev.txt").read_text())
    clone.write(".venv/pins.txt", "\n".join(pins))
    lists = [word for name in names for file in required(clone, name) for word in ("-r", str(file))]
    said = clone.run(".venv/bin/python", "-m", "pip", "install", "-q", "-c", ".venv/pins.txt", *lists, status=None)
    assert "conflict" not in said, said
    return not said or "ERROR" not in said


def _point(tool, python):
    """Let a script run under another Python."""
    first, end, rest = tool.read_bytes().partition(b"\n")
    if first.startswith(b"#!") and b"python" in first:
        tool.write_bytes(b"#!" + str(python).encode() + end + rest)
