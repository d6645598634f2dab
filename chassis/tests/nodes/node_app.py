"""The application of each node: news that are stored and published, batches of rows, and a scheduled job.

CLOCK_AHEAD_SECONDS is how far this machine's clock is wrong.
"""

import os
import time
import uuid

AHEAD, now = float(os.environ["CLOCK_AHEAD_SECONDS"]), time.time
time.time = lambda: now() + AHEAD

from flask import jsonify  # noqa: E402 - with the clock as it is now
from sqlalchemy import text  # noqa: E402

from app import create_app  # noqa: E402
from chassis import jobs  # noqa: E402
from chassis.db import db  # noqa: E402
from chassis.extensions import socketio  # noqa: E402
from chassis.realtime import recovery  # noqa: E402
from chassis.realtime.publisher import publish  # noqa: E402
from chassis.realtime.recovery import Resumable  # noqa: E402
from chassis.security.request_rates import limit  # noqa: E402
from chassis.tests.nodes.tables import ADD_NEWS, ADD_PULSE, ADD_ROW, DONE_ROWS, LAST_NEWS  # noqa: E402


@jobs.job("rows", stall="requeue", max_attempts=100)
def work_on_rows(context, payload):
    """Store each row that is not stored yet, if this process still has the job."""
    done = set(db.read(lambda conn: conn.execute(text(DONE_ROWS), {"job": context.id}).scalars().all()))
    for n in (n for n in range(payload["count"]) if n not in done):
        context.wait(payload["seconds"])
        row = {"job": context.id, "n": n, "attempt": context.attempt, "token": uuid.uuid4().hex}
        db.write(lambda conn, row=row: conn.execute(text(ADD_ROW), row))
        context.progress(n + 1, payload["count"])


@jobs.job("pulse", schedule="0 0 1 1 *", stall="requeue", max_attempts=100)
def pulse(context, payload):
    """Leave a trace; the tests decide when it is due."""
    token = {"job": context.id, "token": uuid.uuid4().hex}
    db.write(lambda conn: conn.execute(text(ADD_PULSE), token))


app = create_app()


@app.get("/api/node")
@limit()
def node():
    """Say which node answers."""
    return jsonify(port=os.environ["PORT"])


@app.post("/api/rows/<int:count>/<float:seconds>")
@limit()
def begin_rows(count, seconds):
    """Begin a batch."""
    return jsonify(jobs.enqueue("rows", {"count": count, "seconds": seconds}).as_dict())


@app.post("/api/news/<who>/<int:n>/<int:attempt>")
@limit()
def tell(who, n, attempt):
    """Store a publisher's next news and publish it; what was not answered is sent again as another attempt."""
    db.write(lambda conn: conn.execute(text(ADD_NEWS), {"who": who, "n": n}))
    publish("news", "news", {"who": who, "n": n, "attempt": attempt})
    return jsonify(ok=True)


@socketio.on("follow")
def follow(message: Resumable):
    """Join first and read then, so that nothing falls in between."""
    return {"ok": True, "stream": recovery.join("news", message.after), "state": last_news()}


@socketio.on("fetch")
def fetch():
    """Return the state."""
    return {"ok": True, "state": last_news()}


def last_news():
    return dict(db.read(lambda conn: [tuple(row) for row in conn.execute(text(LAST_NEWS))]))
