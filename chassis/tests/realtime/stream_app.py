"""An application that streams answers of the outside API to rooms, sockets and HTTP clients."""

import time

from flask import jsonify, request
from pydantic import BaseModel

from app import create_app
from chassis.errors import Conflict
from chassis.realtime import Resumable, recovery, socketio, stream
from chassis.security import needs
from chassis.upstream import upstream
from chassis.web import sse

app = create_app()


class Visit(Resumable):
    name: str


class Question(BaseModel):
    prompt: str
    room: str | None = None


def answer(prompt: str):
    """Return the source of a prompt's answer; some prompts make it fail, or ignore that it is stopped."""

    def source(stopped):
        if prompt == "refused":
            raise Conflict("Not today.", code="closed")
        if prompt == "broken":
            raise ZeroDivisionError
        if prompt == "deaf":
            while True:
                yield "more "
                time.sleep(0.01)
        if prompt.startswith("letters "):
            yield from "x" * int(prompt.split()[1])
            return
        for part in upstream.stream(prompt, cancelled=stopped):
            yield part.text

    return source


unread: list[str] = []


@socketio.on("room:join")
def join(message: Visit):
    return {"ok": True, "stream": recovery.join(message.name, message.after)}


@socketio.on("ask")
def ask(message: Question):
    target = message.room or request.sid
    return {"ok": True, "id": stream(target, answer(message.prompt), {"prompt": message.prompt}, unread=refused).id}


@app.get("/answers")
def answers():
    return sse(answer(request.args["prompt"]), unread=refused)


@app.get("/unread")
def ends_of_unread():
    return jsonify(unread)


@app.get("/dropped")
def dropped():
    """Make a stream that is never sent."""
    sse(answer("hello"), unread=refused).close()
    return ""


def refused(end):
    unread.append(f"{end.outcome} {end.code}".strip())


@app.post("/answers")
@needs("submit")
def asked():
    return sse(answer(request.get_json()["prompt"]))


@app.get("/raw")
def raw():
    """Answer in another protocol."""
    return sse(
        answer(request.args["prompt"]),
        part=lambda text: f"data: {text}\n\n",
        end=lambda end: f"data: {end.outcome}\n\n",
    )
