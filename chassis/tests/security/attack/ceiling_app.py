"""What somebody might add to the application without a thought: a route and an event that cost too much."""

import unicodedata

from flask import Flask, request
from pydantic import BaseModel

from chassis.extensions import socketio
from chassis.security.guard import public


class Message(BaseModel):
    text: str


def register(app: Flask) -> None:
    """Add both."""
    app.add_url_rule("/api/quadratic/<word>", "quadratic", public(page), methods=["POST"])
    socketio.server.on("quadratic", event)


def page(word: str) -> str:
    """Do quadratic work on a form's field."""
    return unicodedata.normalize("NFKC", request.form.get("title", "")[:20_000])[:5]


def event(_sid: str, message: Message) -> str:
    """Do it on a message's; what is not validated comes as it is."""
    text = message["text"] if isinstance(message, dict) else ""
    return unicodedata.normalize("NFKC", text[:40_000])[:5]
