"""No route takes a body for a form that is none: what it does not find there it would clear."""

import pytest

from chassis.security import bodies, csrf
from chassis.web.application import Application


@pytest.fixture
def client():
    app = Application("a")
    app.errorhandler(Exception)(lambda error: (error.code, error.status))

    @app.post("/")
    @csrf.exempt
    def change():
        from flask import request

        return {"name": request.form.get("name", "cleared"), "files": len(request.files)}

    return app.test_client()


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (b"{}", "application/json"),
        (b"name=new", "text/plain"),
        (b"name=new", ""),
        (b"name=new", "application/x-www-form-urlencoded-not"),
        (b"\0", "application/octet-stream"),
    ],
)
def test_a_body_that_is_no_form_is_refused(client, body, type_):
    assert client.post("/", data=body, content_type=type_).status_code == 415


@pytest.mark.parametrize("type_", bodies.FORMS)
def test_a_form_is_taken(client, type_):
    assert client.post("/", data={"name": "new"}, content_type=type_).json == {"name": "new", "files": 0}


def test_nothing_is_an_empty_form(client):
    assert client.post("/").json == {"name": "cleared", "files": 0}
