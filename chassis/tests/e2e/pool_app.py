"""The application with a route that holds a connection for some seconds."""

from sqlalchemy import text

from app import create_app
from chassis.db import db

app = create_app()


def slow(seconds: float) -> str:
    db.read(lambda conn: conn.execute(text(f"SELECT pg_sleep({seconds})")))
    return "slept"


app.add_url_rule("/api/slow/<int:seconds>", "slow", slow)
