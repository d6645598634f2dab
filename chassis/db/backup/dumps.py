"""Makes and reads dumps of PostgreSQL with its own tools, in their custom format, which is compressed."""

import hashlib
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from chassis.db.backup.model import BackupError, Report
from chassis.db.backup.pack import create_private

ENDING = ".dump"
TABLE = re.compile(r'(?:dumping contents of|processing data for) table "([^"]++)"$')
COPY, ITS_END = b"COPY ", b" FROM stdin;\n"
DETAIL_CHARACTERS = 300


def dump(url: str, target: Path, report: Report) -> tuple[int, str]:
    """Write a dump of the database to `target`; return its bytes and its SHA-256."""
    create_private(target)
    _run(
        "pg_dump", ["--format=custom", f"--file={target}", f"--dbname={_address(url)}"], url, _counted(report, "copied")
    )
    with target.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return target.stat().st_size, checksum


def load(file: Path, url: str, report: Report, total: int) -> None:
    """Fill the empty database at `url` from a dump with `total` tables; the URL's user then owns everything."""
    options = ["--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={_address(url)}", str(file)]
    _run("pg_restore", options, url, _counted(report, "restored", total))


def rows_in(file: Path) -> dict[str, int]:
    """Return {schema.table: rows} of a dump, counted in the script that pg_restore makes of it."""
    rows: Counter[str] = Counter()
    table: str | None = None
    command = [_program("pg_restore"), "--data-only", "--file=-", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if table is None:
                table = _copied(line)
                rows.update({table: 0} if table else {})
            elif line == b"\\.\n":
                table = None
            else:
                rows[table] += 1
        said = process.stderr.read().decode(errors="replace").splitlines()
    if process.returncode:
        raise _failed("pg_restore", said)
    return dict(rows)


def _copied(line: bytes) -> str | None:
    """Return the table whose rows follow, as in `COPY public.jobs (id, state) FROM stdin;`."""
    if not (line.startswith(COPY) and line.endswith(ITS_END)):
        return None
    told = line.removeprefix(COPY).removesuffix(ITS_END)
    return (told.partition(b" (")[0] if told.endswith(b")") else told).decode()


def _counted(report: Report, what: str, total: int = 0) -> Callable[[str], None]:
    """Return a function that reports each table that a tool processes."""
    done = 0

    def told(line: str) -> None:
        nonlocal done
        if found := TABLE.search(line):
            done += 1
            of = f"table {done} of {total} ({100 * (done - 1) // total} %)" if total else f"table {done}"
            report(f"{what}: {of}, {found[1]}")

    return told


def _run(name: str, options: list[str], url: str, told: Callable[[str], None]) -> None:
    said: list[str] = []
    command = [_program(name), "--verbose", *options]
    how: dict[str, Any] = {"text": True, "errors": "replace", "env": _environment(url)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, **how) as process:
        assert process.stderr
        for line in process.stderr:
            said = [*said[-20:], line.rstrip()]
            told(said[-1])
    if process.returncode:
        raise _failed(name, said)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"Backups of PostgreSQL need {name}: install postgresql-client, or use the provider's own.")
    return found


def _address(url: str) -> str:
    """Return the URL for the tools, without the password: all users of the machine can see command lines."""
    return make_url(url).set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _environment(url: str | None = None) -> dict[str, str]:
    password = make_url(url).password if url else None
    return {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": str(password)} if password else {})}


def _failed(name: str, said: list[str]) -> BackupError:
    first = next((number for number, line in enumerate(said) if "error:" in line), max(0, len(said) - 3))
    why = " ".join(" ".join(said[first:]).split())[:DETAIL_CHARACTERS]
    return BackupError(f"{name} failed ({why}): check DATABASE_URL, the server, the file and {name}'s version.")
