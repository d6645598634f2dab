"""The application with a job that goes by steps, whose viewers are also told details that are read from the table."""

from flask import jsonify

from app import create_app
from chassis import jobs
from chassis.realtime.publisher import publish_details

STEPS = 3
app = create_app()
told = dict[str, int]()


@jobs.job("steps", stall="requeue")
def steps(context, payload):
    for step in range(1, STEPS + 1):
        context.progress(step, STEPS, f"step {step}")


def details(job_id):
    """Return the steps that were done since the last call, or None."""
    before, told[job_id] = told.get(job_id, 0), jobs.get(job_id).done
    return {"after": before, "upto": told[job_id]} if told[job_id] > before else None


publish_details("steps", "steps:done", details)


@app.post("/api/steps")
def start():
    return jsonify(jobs.enqueue("steps", {}).as_dict())
