"""The application with pages that are live: one that starts a job which goes by steps, and one that follows it."""

from flask import redirect, render_template_string

from app import create_app
from chassis import jobs

PAGE = """{% extends "live.html" %}
{% block content %}<form method="post" action="/steps">{{ csrf_field() }}<button id="start">Start</button></form>
<p id="job" data-id="{{ job_id }}"></p>{% endblock %}"""
STEPS = 10_000
app = create_app()


@jobs.job("steps", stall="interrupt")
def steps(context, payload):
    for step in range(1, STEPS + 1):
        context.progress(step, STEPS, f"step {step}")
        context.wait(0.05)


@app.post("/steps")
def start():
    return redirect(f"/steps/{jobs.enqueue('steps', {}).id}", 303)


@app.get("/steps", defaults={"job_id": ""})
@app.get("/steps/<job_id>")
def page(job_id):
    return render_template_string(PAGE, job_id=job_id)
