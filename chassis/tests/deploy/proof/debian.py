"""A minimal Debian in a folder, made once, and Python's packages for it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[4]
CACHE = Path("/var/tmp/chassis-proof")
TREE = CACHE / "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,python3-venv,ca-certificates,git,supervisor,logrotate"
MIRROR = "http://deb.debian.org/debian"


def tools() -> None:
    """Install what Debian has for this, when it is missing."""
    if not (shutil.which("debootstrap") and shutil.which("systemd-nspawn")):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap", "systemd-container"]
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        subprocess.run(install, check=True, env=environment, stdout=subprocess.DEVNULL)


def tree() -> Path:
    """Return a folder with a minimal Debian; it is made once and kept."""
    if not TREE.exists():
        CACHE.mkdir(exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=CACHE))
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(making), MIRROR]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        making.chmod(0o755)
        making.rename(TREE)
    return TREE


def wheels(folder: Path) -> Path:
    """Download what requirements.txt names, for the tree's Python."""
    found = folder / "wheels"
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--require-hashes"]
    command += ["--python-version", "3.11", "--only-binary", ":all:", "-d", str(found), "-r", "requirements.txt"]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    return found
