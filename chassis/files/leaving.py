"""The files of a person who leaves pass to whoever takes over; otherwise the job `cleanup` deletes their content."""

from flask import Flask

from chassis.files.tables import files
from chassis.security import leaving
from chassis.wiring import wiring_of


def install(app: Flask) -> None:
    """Register that a person's files are deleted with the account, or handed over."""
    wiring_of(app).leaving.append(leaving.owned(files, "files", named="name"))
