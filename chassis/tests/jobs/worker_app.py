"""The application with kinds of jobs that the tests run in workers; DATABASE_URL is a database of the test."""

import os
import time
from pathlib import Path

from flask import jsonify, request

from app import create_app
from chassis import jobs
from chassis.errors import AppError
from chassis.security import payer


@jobs.job("note", stall="requeue")
def note(context, payload):
    """Write a line to a file."""
    with Path(payload["path"]).open("a") as file:
        file.write(f"{context.id}\n")


@jobs.job("march", resumable=True)
@jobs.job("wait", stall="requeue", max_attempts=5)
def wait(context, payload):
    """Wait for a file, and say that it waits."""
    context.progress(1, 2, str(os.getpid()))
    while not Path(payload["path"]).exists():
        context.wait(0.05)


@jobs.job("shaky", max_attempts=3, backoff_seconds=0.1)
def shaky(context, payload):
    """Fail once."""
    if context.attempt == 1:
        raise AppError("Not yet.")


@jobs.job("brief", time_limit_seconds=0.5)
def brief(context, payload):
    """Wait until it is told to stop."""
    context.wait(1000)


@jobs.job("nightly", schedule="0 2 * * *", stall="requeue")
def nightly(context, payload):
    """Do nothing, on a schedule."""


@jobs.job("count", cpu_bound=True)
def count(context, payload):
    """Report progress from another process."""
    for number in range(1, 4):
        context.progress(number, 3, str(os.getpid()))


@jobs.job("pay", cpu_bound=True)
def pay(context, payload):
    """Say who pays."""
    context.progress(1, 1, payer.current().account)


@jobs.job("deaf", cpu_bound=True)
def deaf(context, payload):
    """Compute without an end, and never ask whether to stop."""
    context.progress(1, 1, str(os.getpid()))
    while time.time():
        pass


@jobs.job("fragile", cpu_bound=True)
def fragile(context, payload):
    """Fail as the payload says."""
    match payload["how"]:
        case "exit":
            os._exit(9)
        case "give up":
            raise jobs.GiveUp("It cannot be done.")
        case "raise":
            raise ValueError("hush")


app = create_app()  # after the kinds, whose schedules it reads


@app.post("/api/enqueue/<kind>")
def enqueue(kind):
    """Queue a job of a kind with the posted payload."""
    return jsonify(jobs.enqueue(kind, request.get_json()).as_dict())
