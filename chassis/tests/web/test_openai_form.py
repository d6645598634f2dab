"""Errors and events in OpenAI's form."""

import json

import pytest
from flask import Flask, Response, jsonify

from chassis.realtime import End
from chassis.realtime.streams import run
from chassis.realtime.streams.run import Places
from chassis.settings import Settings
from chassis.web import openai_answer, openai_error
from chassis.web.openai_form import _end, _part
from chassis.wiring import wire


@pytest.fixture
def app():
    return Flask("app")


@pytest.mark.parametrize(
    ("status", "kind"), [(402, "insufficient_quota"), (404, "invalid_request_error"), (503, "server_error")]
)
def test_an_error_gets_a_type(app, status, kind):
    with app.app_context():
        response = jsonify(error={"code": "c", "message": "m"})
        response.status_code = status
        assert openai_error(response).get_json() == {
            "error": {"code": "c", "message": "m", "type": kind, "param": None}
        }


@pytest.mark.parametrize(
    ("status", "body"), [(200, '{"error": {}}'), (500, "[]"), (500, "{"), (500, '{"error": "no"}')]
)
def test_other_answers_stay_as_they_are(app, status, body):
    with app.app_context():
        assert openai_error(Response(body, status, mimetype="application/json")).get_data(as_text=True) == body


def test_a_stream_ends_with_a_mark_or_an_error():
    assert _end(End("done")) == "data: [DONE]\n\n"
    found = json.loads(_end(End("failed", "broken", "It broke.")).removeprefix("data: "))["error"]
    assert (found["code"], found["message"], found["type"]) == ("broken", "It broke.", "server_error")
    assert _part("a\nb") == "data: a\ndata: b\n\n"


class Answer:
    """The answer of an API."""

    def __init__(self, status=200, *, streams=False):
        self.status, self.streams, self.body, self.kind = status, streams, b"{}", "application/json"
        self.on_end, self.unread = None, []

    def end_unread(self, outcome):
        self.unread.append(outcome)


@pytest.mark.parametrize(("status", "outcome"), [(200, "done"), (400, "refused")])
def test_a_whole_answer_is_passed_on_as_it_is(app, status, outcome):
    seen, ended = [], []
    response = openai_answer(Answer(status), seen=seen.append, ended=ended.append)
    assert (response.status_code, response.get_data(), seen, ended) == (status, b"{}", ["{}"], [outcome])


def test_a_stream_that_nobody_reads_is_ended_and_says_why(app, monkeypatch):
    wire(app, Settings(app_env="test"))
    answer, ended, places = Answer(streams=True), [], Places()
    monkeypatch.setattr(run, "places", places)
    with app.test_request_context():
        openai_answer(answer, seen=ended.append, ended=ended.append).close()
        places.close()
        text = openai_answer(answer, seen=ended.append, ended=ended.append).get_data(as_text=True)
    assert (answer.on_end, answer.unread) == (ended.append, ["client_gone", "too_many_streams"])
    assert "too_many_streams" in text
