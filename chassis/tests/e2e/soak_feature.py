"""The feature that the soak test adds to a copy of the application: a job that writes and logs without a pause."""

import structlog
from flask import jsonify

from chassis import jobs
from chassis.db import db
from chassis.jobs import queries

STEPS = 20
log = structlog.get_logger("soak")


@jobs.job("soak", stall="requeue")
def soak(context, payload):
    for step in range(1, STEPS + 1):
        context.progress(step, STEPS, f"step {step}")
        context.flush()
        db.read(lambda conn: queries.counts(conn), unbounded=step % 5 == 0)
        log.info("soak_step", job=context.id, step=step, text="some words " * 10)
        context.wait(0.02)


def register(hooks):
    hooks.app.add_url_rule("/soak", "soak", lambda: jsonify(jobs.enqueue("soak", {}).as_dict()), methods=["POST"])
