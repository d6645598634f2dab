"""Files generated from all results on a schedule: a CSV of every answered row, and a figure; never partly written."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.features.predictions import figure, store
from chassis.base import iso
from chassis.db import db
from chassis.jobs import JobContext
from chassis.security import ownership
from chassis.web import csv_line
from chassis.wiring import current_settings

CSV, FIGURE = "results.csv", "figure.svg"
TYPES = {CSV: "text/csv", FIGURE: "image/svg+xml"}
CHUNK = 500
COLUMNS = ["batch", "row", "model", "outcome", "input", "output", "error"]


def make(context: JobContext) -> None:
    """Generate both files."""
    where = folder()
    where.mkdir(mode=0o770, parents=True, exist_ok=True)
    counts = db.read(store.outcomes, unbounded=True)
    total = sum(number for _, _, number in counts)
    _replace(where / CSV, _lines(context, total))
    _replace(where / FIGURE, [figure.draw(counts, iso(time.time()) or "")])
    context.progress(total, total, f"{CSV}, {FIGURE}")


def find(name: str) -> Path | None:
    """Return an existing file, for those who may see everybody's results."""
    path = folder() / name
    return path if ownership.seen_owner() is None and path.is_file() else None


def folder() -> Path:
    """Return the folder of the files."""
    settings = current_settings()
    return settings.data_folder / "artefacts"


def _lines(context: JobContext, total: int) -> Iterator[str]:
    yield csv_line(COLUMNS)
    done = 0
    after = ("", -1)
    while found := db.read(lambda conn, a=after: store.answered(conn, after=a, limit=CHUNK), unbounded=True):  # type: ignore[misc]
        yield "".join(csv_line(_fields(row)) for row in found)
        after, done = (found[-1].prediction_id, found[-1].position), done + len(found)
        context.progress(done, max(done, total), CSV)
        context.wait(0.01)


def _fields(row: Any) -> list[str]:
    given = json.dumps(row.input, ensure_ascii=False)
    return [row.name, str(row.position + 1), row.model, row.status, given, row.output or "", row.error or ""]


def _replace(path: Path, chunks: Iterable[str]) -> None:
    """Write a temporary file, then move it into place when complete; `cleanup` removes leftovers."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
