"""What the tests ask for: documents, conversations, answers, and viewers of them."""

import io
import json

import requests

from chassis.tests.ordered import OrderedClient
from chassis.tests.patience import LIMIT_SECONDS, wait_until

API = "/api/chat"
UNHURRIED = dict.fromkeys(  # no call ends by itself within a test
    ["UPSTREAM_FIRST_PART_TIMEOUT_SECONDS", "UPSTREAM_IDLE_TIMEOUT_SECONDS", "UPSTREAM_STREAM_SECONDS"], "3600"
)
KETTLE = b"# Kettle\n\nThe warranty of the kettle lasts 24 months.\n\nDescale the kettle once a month with vinegar.\n"


def ask(server, method, path, body=None, *, key="", **options):
    headers = {"X-API-Key": key} if key else {}
    return requests.request(
        method, server.url + API + path, json=body, headers=headers, timeout=LIMIT_SECONDS, **options
    )


def upload(server, *files, key=""):
    """Upload (name, content) of each file; return the response."""
    headers = {"X-API-Key": key} if key else {}
    parts = [("files", (name, io.BytesIO(content))) for name, content in files]
    return requests.post(f"{server.url}{API}/documents", files=parts, headers=headers, timeout=LIMIT_SECONDS)


def read(server, *files, key=""):
    """Upload files, and return the documents once their jobs have ended."""
    answer = upload(server, *files, key=key)
    assert answer.status_code == 201, answer.text
    return [ended(server, one["id"], key=key) for one in answer.json()["items"]]


def ended(server, document_id, key=""):
    def look():
        found = ask(server, "GET", f"/documents/{document_id}", key=key).json()
        return found["status"] not in ("queued", "running") and found

    return wait_until(look)


def conversation(server, key=""):
    return ask(server, "POST", "/conversations", key=key).json()["id"]


def question(server, conversation_id, text, key=""):
    """Ask; return the id of the answer that is streamed."""
    answer = ask(server, "POST", f"/conversations/{conversation_id}/messages", {"text": text}, key=key)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def thread(server, conversation_id, key=""):
    return ask(server, "GET", f"/conversations/{conversation_id}", key=key).json()["messages"]


def answered(server, conversation_id, key=""):
    """Return the last message once it is not written any more."""
    return wait_until(
        lambda: (last := thread(server, conversation_id, key)[-1])["status"] != "streaming" and last,
        "the answer did not end",
    )


def events(response):
    """Yield (name, data) of the server-sent events of a response."""
    name = ""
    for line in response.iter_lines(chunk_size=1, decode_unicode=True):
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


class Viewer(OrderedClient):
    """A client that follows a conversation, and keeps what it hears."""

    def __init__(self, server, conversation_id, **options):
        super().__init__(reconnection=False, request_timeout=LIMIT_SECONDS)
        self.room, self.heard = f"chat:{conversation_id}", []
        self.on("*", lambda event, data: self.heard.append((event, data)))
        self.connect(server.url, transports=["websocket"], wait_timeout=LIMIT_SECONDS, **options)
        self.joined = self.call("chat:follow", {"id": conversation_id}, timeout=LIMIT_SECONDS)

    def of(self, name):
        return [data for event, data in list(self.heard) if event == name]

    def text(self):
        before = "".join(one["text"] for one in self.joined["stream"].get("streams", []))
        return before + "".join(part["text"] for part in self.of("stream:part"))

    def end(self):
        return (self.of("stream:end") or [None])[0]
