"""The page."""

from flask import Blueprint, render_template

from app.features.chat import service
from app.features.chat.model import model
from chassis import search
from chassis.db import db

blueprint = Blueprint("chat", __name__)


@blueprint.get("/chat")
@blueprint.get("/chat/<string(length=32):conversation_id>")
def index(conversation_id: str = "") -> str:
    """Show the page, with a conversation or none."""
    if conversation_id:
        service.found(conversation_id)
    how = db.read(search.described, unbounded=True)
    return render_template("chat/index.html", conversation_id=conversation_id, model=model, search=how)
