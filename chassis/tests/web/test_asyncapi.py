"""The description of the events covers every handler, and names models that the events have."""

import jsonschema
import pytest
from pydantic import BaseModel

from app import create_app
from chassis.base.service import current as service
from chassis.extensions import socketio
from chassis.realtime import contracts
from chassis.realtime.contracts import sent
from chassis.settings import Settings
from chassis.web.asyncapi import document, types
from chassis.web.asyncapi.events import LIFECYCLE


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """This service."""
    return create_app(Settings(app_env="test", database_url=f"sqlite:///{tmp_path_factory.mktemp('events')}/app.db"))


@pytest.fixture
def described(app):
    """The document of this service."""
    return document(service().name, "localhost:5000", secure=False)


def test_each_handler_and_each_declared_event_is_described(described):
    names = {message["name"] for message in described["components"]["messages"].values()}
    handled = {event for _, event in socketio.taken if event not in LIFECYCLE}
    assert handled
    assert {*handled, *sent()} <= names
    actions = [operation["action"] for operation in described["operations"].values()]
    assert actions.count("receive") == len(handled)
    assert actions.count("send") == len(sent())


def test_every_reference_leads_somewhere(described):
    def followed(value):
        if isinstance(value, dict):
            if "$ref" in value:
                place = described
                for part in value["$ref"].removeprefix("#/").split("/"):
                    place = place[part]
            for inner in value.values():
                followed(inner)
        if isinstance(value, list):
            for inner in value:
                followed(inner)

    followed(described)


def test_following_a_job_needs_its_id_and_answers_with_the_job(described):
    payload = described["components"]["messages"]["job_subscribe"]["payload"]
    schema = {**payload, "components": described["components"]}
    jsonschema.validate({"id": "4711"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"ident": "4711"}, schema)
    assert "job" in described["components"]["schemas"]["JobFollowed"]["properties"]


def test_the_document_and_the_page_are_served(app):
    client = app.test_client()
    served = client.get("/api/asyncapi.json", headers={"Host": "localhost"}).json
    assert served["asyncapi"] == "3.0.0"
    assert "job:update" in client.get("/api/docs/events").text


def test_types_have_a_line_for_each_event(described):
    text = types(described)
    assert '  "job:update": (data: (JobResponse & Numbered)) => void;' in text
    assert '  "job:unsubscribe": (message: JobReference, answer: (answer: (Done | Refused)) => void) => void;' in text


def test_an_event_of_another_namespace_has_a_channel_of_its_own(app, monkeypatch):
    class Asked(BaseModel):
        """A question."""

        text: str

    def ask(message: Asked) -> None:
        """Ask something."""

    monkeypatch.setitem(socketio.taken, ("/other", "ask"), ask)
    written = document("Lab", "localhost", secure=True)
    assert written["channels"]["other"]["address"] == "/other"
    assert written["operations"]["other_ask"]["summary"] == "Ask something."
    assert '"ask"' not in types(written), "the types are those of the main namespace"


def test_an_event_that_both_sides_send_is_described_twice(app, monkeypatch):
    class Said(BaseModel):
        """A message."""

        text: str

    def say(message: Said) -> None:
        """Say something."""

    monkeypatch.setitem(socketio.taken, ("/", "talk:message"), say)
    monkeypatch.setitem(contracts._sent, "talk:message", contracts.Sent(Said, "the room"))
    written = document("Lab", "localhost", secure=True)
    assert written["operations"]["talk_message"]["action"] == "receive"
    assert written["operations"]["talk_message_2"]["action"] == "send"
    assert types(written).count('  "talk:message": (') == 2


def test_the_types_command_says_when_a_file_is_old(app, tmp_path):
    path, run = tmp_path / "events.ts", app.test_cli_runner().invoke
    assert run(args=["events", "types", "--output", str(path)]).exit_code == 0
    assert run(args=["events", "types", "--output", str(path), "--check"]).exit_code == 0
    path.write_text(path.read_text() + "// edited\n")
    done = run(args=["events", "types", "--output", str(path), "--check"])
    assert done.exit_code == 1
    assert "is not up to date" in done.output
