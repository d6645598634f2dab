"""Stands in for systemctl: runs the units below a folder as real processes, with the settings of its file `env`.

Usage: systemctl.py FOLDER VERB [OPTION...] UNIT
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PAUSE_SECONDS = 0.05


class Unit:
    """A unit of a folder: `name@instance`, with a pid file and a log."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.template, _, self.instance = name.partition("@")
        self.pid_file, self.log = folder / f"{name}.pid", folder / f"{name}.log"

    def values(self, key: str) -> list[str]:
        """Return the values of a key, with the folder in place of /opt."""
        lines = (self.folder / f"units/{self.template}@.service").read_text().splitlines()
        found = [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]
        return [value.replace("/opt", f"{self.folder}/opt").replace("%i", self.instance) for value in found]

    def command(self) -> subprocess.Popen:
        """Start the unit's command, as systemd does."""
        env = dict(pair.split("=", 1) for line in self.values("Environment") for pair in line.split())
        env |= json.loads((self.folder / "env").read_text())
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["/bin/sh", "-c", f"exec {self.values('ExecStart')[0]}"],
                cwd=os.path.realpath(self.values("WorkingDirectory")[0]),
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_active(self) -> bool:
        """Return whether its process lives."""
        try:
            pid = int(self.pid_file.read_text())
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def stop(self) -> None:
        """Tell its process to end, and wait for that."""
        if self.is_active():
            os.kill(int(self.pid_file.read_text()), signal.SIGTERM)
        while self.is_active():
            time.sleep(PAUSE_SECONDS)

    def start(self) -> None:
        """Start its process, which serves later."""
        self.pid_file.write_text(str(self.command().pid))


def main(folder: str, verb: str, *words: str) -> int:
    """Do what systemctl would do; return its exit status."""
    unit = Unit(Path(folder), words[-1] if words else "")
    if verb == "restart":
        unit.stop()
        unit.start()
    elif verb == "start":  # of the oneshot unit of a command
        return unit.command().wait()
    elif verb == "is-active":
        return 0 if unit.is_active() else 3
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
