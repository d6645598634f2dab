"""The jobs `backup` and `backup_drill`, which run the commands of `flask db` in processes of their own.

So the reading and packing and the import of boto3 do not delay a worker's sockets, and their memory is freed
afterwards; the next run removes the leftovers of a killed one.
"""

import re
import subprocess
import sys
import tempfile
from typing import IO, Any

from chassis.base.environment import BASE_DIR, command_environment
from chassis.db.backup.model import NAME
from chassis.errors import AppError, BadRequest
from chassis.jobs import JobContext, job
from chassis.observability.metrics import BACKUP_FAILURES
from chassis.upkeep.places import of_one_node
from chassis.wiring import current_settings

LOOK_SECONDS = 0.5
TERM_SECONDS = 5.0
PERCENT = re.compile(r"\((\d+) %\)")


def _drill_title(payload: dict[str, Any]) -> str:
    return f"Test the backup {payload.get('name') or 'made last'}"


@job("backup", schedule=lambda settings: settings.backup_schedule, stall="requeue", title="Back up the database")
def make_backup(context: JobContext, payload: dict[str, Any]) -> None:
    """Make a backup in BACKUP_TO, and remove the ones that are too old."""
    for name, folder in of_one_node(current_settings()):
        context.log.warning("folder_of_one_node", setting=name, folder=str(folder), hint="flask doctor says more")
    _run(context, "backup", "db", "backup", *(["--files"] if current_settings().backup_files else []))


@job("backup_drill", schedule=lambda settings: settings.backup_drill_schedule, stall="requeue", title=_drill_title)
def drill(context: JobContext, payload: dict[str, Any]) -> None:
    """Restore the newest backup, or the one named by the payload's `name`, as a test."""
    name = str(payload.get("name") or "latest")
    if name != "latest" and not NAME.fullmatch(name):  # a payload must not choose files or URLs
        raise BadRequest(f"{name!r} is not the name of a backup.")
    _run(context, "drill", "db", "verify", name)


def _run(context: JobContext, what: str, *arguments: str) -> None:
    """Run a `flask` command and report its progress; raise AppError with its last line if it fails."""
    with tempfile.TemporaryFile("a+") as said:
        command = [sys.executable, "-m", "flask", *arguments]
        process = subprocess.Popen(
            command, cwd=BASE_DIR, env=command_environment(), stdout=said, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                context.wait(LOOK_SECONDS)
                _tell(context, _lines(said))
        finally:
            _end(process)
        lines = _lines(said)
    if process.returncode:
        BACKUP_FAILURES.labels(what).inc()
        why = lines[-1].removeprefix("Error: ") if lines else "it gave no output"
        raise AppError(why, code="backup_failed")
    context.log.info(f"{what}_done", told=lines[-1] if lines else "")
    context.progress(100, 100, lines[-1] if lines else "")


def _lines(said: IO[str]) -> list[str]:
    said.seek(0)
    return said.read().splitlines()


def _tell(context: JobContext, lines: list[str]) -> None:
    if lines:
        percent = PERCENT.search(lines[-1])
        context.progress(int(percent[1]) if percent else 0, 100, lines[-1])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate a command whose job was told to stop."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(TERM_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
