"""The types of fields that hold only what a database can, and lines of text as models."""

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ValidationError

from chassis.errors import BadRequest
from chassis.web import Json, Moment, Text, checked_strings


class Anything(BaseModel):
    value: Json


class When(BaseModel):
    at: Moment


class Line(BaseModel):
    name: Text
    count: int
    extra: Json


@pytest.mark.parametrize("text", ['{"a": [1, null, {"b": "c"}]}', '"text"', "1.5", "null", "[]"])
def test_any_json_is_taken_and_stays_what_it_is(text):
    found = Anything.model_validate_json(f'{{"value": {text}}}', strict=True)
    assert found == Anything.model_validate_strings({"value": text})
    assert found.model_dump_json().replace(" ", "") == f'{{"value":{text}}}'.replace(" ", "")


@pytest.mark.parametrize(
    "text", ['"\\u0000"', '{"\\u0000": 1}', '[["\\u0000"]]', "1e999", '[{"a": -1e999}]', "9" * 5_000]
)
def test_json_that_a_database_cannot_hold_is_refused(text):
    with pytest.raises(ValidationError):
        Anything.model_validate_json(f'{{"value": {text}}}', strict=True)
    with pytest.raises(ValidationError):
        Anything.model_validate_strings({"value": text})


@pytest.mark.parametrize("text", ["", "{", "[" * 60_000])
def test_a_text_that_is_no_json_is_refused(text):
    with pytest.raises(ValidationError):
        Anything.model_validate_strings({"value": text})


def test_a_moment_is_kept_in_utc():
    found = When.model_validate_json('{"at": "2026-01-31T12:00:00+02:00"}', strict=True)
    assert (found.at, found.at.tzinfo) == (datetime(2026, 1, 31, 10, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    "text", ["2026-01-31T12:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "now"]
)
def test_a_moment_without_an_offset_or_a_year_is_refused(text):
    with pytest.raises(ValidationError):
        When.model_validate_json(f'{{"at": "{text}"}}', strict=True)


def test_a_line_of_text_becomes_a_model_or_a_sentence():
    assert checked_strings(Line, {"name": "a", "count": "2", "extra": "[1]"}) == Line(name="a", count=2, extra=[1])
    with pytest.raises(BadRequest, match="count: Input should be a valid integer"):
        checked_strings(Line, {"name": "a", "count": "two", "extra": "1"})
