"""What `@describe` says of uploads and of answers without a body."""

import pytest
from pydantic import BaseModel, Field

from chassis.web.openapi.describe import Answer, describe
from chassis.web.openapi.document import document
from chassis.web.openapi.page import groups

FORM = "multipart/form-data"


class Upload(BaseModel):
    """A picture."""

    title: str
    file: bytes = Field(description="The picture.")


class Usual(BaseModel):
    """A file with an example."""

    file: bytes = Field(examples=["@docs/picture.png"])


@pytest.fixture
def described(small):
    """Return a function that describes routes, and returns their operations on the page by path."""

    def describing(**views):
        for name, view in views.items():
            small.app.add_url_rule(f"/api/{name}", f"described_{name}", view, methods=["POST"])
        shown = [one for _, group in groups(document(small.app, "Test"), "http://here") for one in group]
        return {one["path"].removeprefix("/api/"): one for one in shown}

    return describing


def test_a_call_with_a_file_sends_the_file(described):
    @describe(body={FORM: Upload}, answers={200: Upload})
    def upload():
        """Take a picture."""

    @describe(body={FORM: Usual}, answers={200: Usual})
    def usual():
        """Take a usual picture."""

    found = described(upload=upload, usual=usual)
    assert "-F title=text" in found["upload"]["curl"]
    assert "-F file=@FILE" in found["upload"]["curl"]
    assert "-F file=@docs/picture.png" in found["usual"]["curl"]


@pytest.mark.parametrize("given", ["It is deleted.", Answer(text="It is deleted.")])
def test_an_answer_may_have_no_body(described, small, given):
    @describe(answers={204: given, 404: "There is none."})
    def remove():
        """Delete it."""

    found = described(remove=remove)
    answer = next(one for one in found["remove"]["answers"] if one["status"] == "204")
    assert (answer["text"], answer["media"], answer["fields"]) == ("It is deleted.", "", [])
    written = document(small.app, "Test")["paths"]["/api/remove"]["post"]["responses"]
    assert written["204"] == {"description": "It is deleted."}
    assert "content" in written["404"]
    assert "no body" in small.client.get("/api/docs").text


def test_a_model_for_an_answer_without_a_body_is_a_mistake():
    with pytest.raises(ValueError, match="has no body"):
        describe(answers={204: Upload})(lambda: None)
