"""Conversations as files: Markdown for people, JSON for programs."""

import json
from collections.abc import Iterator
from typing import Any

from app.features.chat import service, store
from chassis.db import db
from chassis.security import identity
from chassis.web import joined

NAMES = {store.USER: "Question", store.ASSISTANT: "Answer"}


def as_json() -> Iterator[str]:
    """Return all conversations of the caller, piece by piece."""
    owner = identity.current().owner
    return joined(_pieces(db.read(lambda conn: store.of_owner(conn, owner))))


def as_markdown(conversation: dict[str, Any]) -> str:
    """Return one conversation."""
    parts = [f"# {conversation['title']}", *(_section(message) for message in conversation["messages"])]
    return "\n\n".join(parts) + "\n"


def _pieces(ids: list[str]) -> Iterator[str]:
    yield '{"conversations": ['
    for number, conversation_id in enumerate(ids):
        yield ("" if number == 0 else ", ") + json.dumps(service.get(conversation_id))
    yield "]}"


def _section(message: dict[str, Any]) -> str:
    lines = [f"## {NAMES[message['role']]}", message["text"]]
    if message["error"]:
        lines.append(f"*{message['error']}*")
    for source in message["sources"]:
        page = f", page {source['page']}" if source["page"] else ""
        lines.append(f"- [{source['number']}] {source['name']}{page}")
    return "\n\n".join(lines)
