"""Feedback is off until a setting turns it on, and holds nothing but what was typed."""

import json

import pytest
from flask import render_template

from app import create_app
from chassis.db import db
from chassis.feedback import delete_older
from chassis.feedback.tables import feedback
from chassis.settings import Settings
from chassis.tests.security.conftest import ADMIN
from chassis.tests.servers import new_database

ADMINS = {"X-API-Key": ADMIN}


@pytest.fixture
def make(tmp_path):
    """Return a function that makes an application with some settings."""
    url = new_database(tmp_path)
    yield lambda **given: create_app(Settings(app_env="test", database_url=url, admin_api_key=ADMIN, **given))
    db.close()


@pytest.fixture
def client(make):
    return make(feedback=True, require_client_api_key=True).test_client()


def form(app) -> str:
    with app.test_request_context("/a/page"):
        return render_template("feedback/form.html")


def test_it_is_off_until_it_is_turned_on(make):
    app = make()
    client = app.test_client()
    assert form(app).strip() == ""
    assert client.post("/api/feedback", json={"text": "good"}).status_code == 404
    assert client.get("/admin/feedback", headers=ADMINS).status_code == 404
    assert "/api/feedback" not in client.get("/api/openapi.json", headers=ADMINS).json["paths"]


def test_a_visitor_writes_and_an_admin_reads(client):
    assert client.post("/api/feedback", json={"text": "<b>good</b>", "page": "/a"}).status_code == 201
    page = client.get("/admin/feedback", headers=ADMINS).text
    assert "&lt;b&gt;good&lt;/b&gt;" in page
    exported = client.get("/admin/feedback.jsonl", headers=ADMINS)
    (line,) = [json.loads(text) for text in exported.text.splitlines()]
    assert (line["text"], line["page"]) == ("<b>good</b>", "/a")
    assert client.get("/admin/feedback").status_code == client.get("/admin/feedback.jsonl").status_code == 401


def test_the_form_needs_its_token_and_says_thanks(client):
    assert client.post("/feedback", data={"text": "good"}).status_code == 403
    with client.application.test_request_context("/a/page"):
        assert 'value="/a/page"' in render_template("feedback/form.html")


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x" * 5_001}, {"text": "x", "page": "y" * 201}])
def test_what_is_empty_or_too_long_is_refused(client, body):
    assert client.post("/api/feedback", json=body).status_code == 400


def test_nothing_about_the_author_is_stored(client):
    client.post("/api/feedback", json={"text": "good"}, headers=ADMINS)
    assert {column.name for column in feedback.c} == {"id", "at", "page", "text"}


def test_old_feedback_is_deleted(client):
    client.post("/api/feedback", json={"text": "good"})
    assert db.write(lambda conn: delete_older(conn, 0, 10)) == 0
    assert db.write(lambda conn: delete_older(conn, 1e12, 10)) == 1
