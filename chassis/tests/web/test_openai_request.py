"""Requests in OpenAI's form: what is passed on, and what they may cost at most."""

import json

import pytest
from flask import Flask

from chassis.errors import BadRequest
from chassis.settings import Settings
from chassis.web import openai_request
from chassis.wiring import wire

CHAT = {"model": "small", "messages": []}


@pytest.fixture
def app():
    made = Flask("app")
    wire(made, Settings(app_env="test", budget_output_tokens=100))
    return made


@pytest.fixture
def asked(app):
    """Return a function that reads a request with this body: a text, or what becomes JSON."""

    def read(body):
        text = body if isinstance(body, str) else json.dumps(body)
        with app.test_request_context("/", method="POST", data=text, content_type="application/json"):
            return openai_request()

    return read


@pytest.mark.parametrize(
    "body",
    ["{", "[]", "{}", '{"model": 5}', '{"model": ""}', '{"model": "a", "stream": "yes"}', '{"model": "a", "n": NaN}'],
)
def test_a_body_that_is_no_request_is_refused(asked, body):
    with pytest.raises(BadRequest):
        asked(body)


def test_all_parameters_are_passed_on(asked):
    body = CHAT | {"temperature": 0.5, "seed": 10**30, "other": {"a": [None, True, "ä"]}}
    assert json.loads(asked(body).body()) == body


@pytest.mark.parametrize("number", ["1e400", f"9.{'0' * 60_000}"], ids=["huge", "long"])
def test_a_number_that_is_too_large_to_be_read_counts_as_the_most(asked, app, number):
    found = asked(f'{{"model": "small", "max_tokens": {number}}}')
    assert found.body() == f'{{"model": "small", "max_tokens": {number}}}'.encode()
    with app.app_context():
        assert found.most(1).output_tokens == 10**9


@pytest.mark.parametrize("twice", ['"max_tokens": 1', '"max_\\u0074okens": 1'])
def test_a_name_that_is_given_twice_is_refused(asked, twice):
    """Otherwise the budget would be that of one value, and the backend might read the other."""
    with pytest.raises(BadRequest, match="it has the name max_tokens twice"):
        asked(f'{{"model": "small", "max_tokens": 9, {twice}}}')


def test_what_is_not_read_here_is_passed_on_as_it_is_written(asked):
    """Only the backend reads it: to parse all of a large body would hold up the others."""
    text = '{"model": "small", "temperature": NaN, "seed": 1e400}'
    assert asked(text).body() == text.encode()


@pytest.mark.parametrize(
    ("more", "lacks"),
    [({}, False), ({"stream": True}, True), ({"stream": True, "stream_options": {"include_usage": False}}, False)],
)
def test_the_usage_of_a_stream_is_asked_for_where_the_client_says_nothing(asked, more, lacks):
    found = asked(CHAT | more)
    assert found.lacks_usage is lacks
    if lacks:
        assert json.loads(found.body(adds_usage=True))["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("more", "tokens"),
    [
        ({}, 100),
        ({"max_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 7),
        ({"max_tokens": 5.0}, 5),
        ({"max_tokens": "many"}, 100),
        ({"max_tokens": 5, "n": 3}, 15),
        ({"max_tokens": 5, "n": 1, "best_of": 4}, 20),
        ({"n": 10**9}, 100_000),
        ({"max_tokens": 10**400}, 10**9),
        ({"prompt": ["a", "b", "c"], "max_tokens": 5, "n": 2}, 30),
        ({"prompt": [1, 2, 3], "max_tokens": 5}, 5),
        ({"prompt": [[1, 2], [3]], "max_tokens": 5}, 10),
    ],
)
def test_each_choice_for_each_prompt_may_have_the_most_tokens(asked, app, more, tokens):
    with app.app_context():
        most = asked(CHAT | more).most(40)
    assert (most.input_tokens, most.output_tokens, most.index_tokens) == (40, tokens, 0)


def test_texts_to_embed_have_no_output(asked, app):
    with app.app_context():
        most = asked({"model": "small", "input": ["a", "b"]}).most(40)
    assert (most.input_tokens, most.output_tokens, most.index_tokens) == (0, 0, 40)
