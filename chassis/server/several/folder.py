"""The private folders in which the workers of one service meet; gunicorn's master creates and removes them."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

from chassis.base.environment import METRICS_FOLDER, multiprocess_metrics, pass_to_children, workers_folder
from chassis.server.several import ring

PREFIX, METRICS_PREFIX = "workers-", "metrics-"
YOUNG_SECONDS = 60.0  # its service may be about to take its lock
FOLDER, NUMBER = "_WORKERS_FOLDER", "_WORKER_NUMBER"


def create(uid: int, gid: int) -> None:
    """Create the folders, pass their paths to all workers, and remove those of services that were killed."""
    memory, disk = Path("/dev/shm"), Path(tempfile.gettempdir())  # noqa: S108
    try:
        folder = _made(memory)
    except OSError:
        folder = _made(disk)
    metrics = _private(disk, METRICS_PREFIX)
    for path in (folder, *folder.iterdir(), metrics):
        os.chown(path, uid, gid)  # of the workers, if the master runs as root
    pass_to_children(FOLDER, str(folder))
    pass_to_children(METRICS_FOLDER, str(metrics))


def _made(parent: Path) -> Path:
    folder = _private(parent, PREFIX)
    try:
        ring.create(folder)
    except OSError:
        shutil.rmtree(folder)
        raise
    return folder


def _private(parent: Path, prefix: str) -> Path:
    """Return a new folder; its lock stays taken as long as this process or one of its workers lives."""
    _remove_old_ones(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    _locked(folder)
    return folder


def _remove_old_ones(parent: Path, prefix: str) -> None:
    """Remove the folders of services that were killed: nobody holds their lock."""
    for left in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            young = time.time() - left.stat().st_mtime < YOUNG_SECONDS
            if not young and (lock := _locked(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """Return a descriptor that holds a folder's lock, or None if it is not ours or its service lives."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def forget() -> None:
    """Forget the folder of the master that this process replaces (`USR2`)."""
    os.environ.pop(FOLDER, None)


def remove() -> None:
    """Remove the folders when the service ends."""
    for folder in (workers_folder(), multiprocess_metrics()):
        shutil.rmtree(folder, ignore_errors=True)


def enter(number: int) -> None:
    """Give a new worker its number, which no other worker of this service ever has."""
    if workers_folder():
        pass_to_children(NUMBER, str(number))


def clear_away(number: int) -> None:
    """Remove the sockets of a worker that has ended."""
    for socket in Path(workers_folder()).glob(f"{number}.*"):
        socket.unlink(missing_ok=True)


def path_of(number: int, suffix: str) -> str:
    """Return the path of a worker's unix socket."""
    return f"{workers_folder()}/{number}{suffix}"
