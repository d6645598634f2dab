"""Asked again before what does most harm, without accounts: any feature for people can say when it was proved."""

import time

import pytest

from app import create_app
from chassis.db import db
from chassis.security import guard
from chassis.security.identity import Identity, Kind, scopes
from chassis.security.proof import recently_proved
from chassis.settings import Settings
from chassis.tests.servers import new_database
from chassis.wiring import wiring_of

LONG_AGO = {"now": 0, "long_ago": 901, "unsaid": None}


@pytest.fixture
def client(tmp_path):
    """An application with a way to be known whose cookie says when the person was asked, and one that is held up."""
    app = create_app(Settings(app_env="test", database_url=new_database(tmp_path), require_client_api_key=True))

    def look_up(credentials):
        words = credentials.environ.get("HTTP_COOKIE", "").partition("=")[2]
        if words == "held":
            return Identity("tester", "1", "Ada", frozenset(), session="one", gate="/second-factor")
        ago = LONG_AGO[words]
        return Identity("tester", "1", "Ada", scopes("submit"), proved_at=None if ago is None else time.time() - ago)

    wiring_of(app).identities["tester"] = Kind(look_up, lambda _found: True)

    @app.get("/harm")
    @guard.needs("submit")
    @recently_proved
    def harm():
        return "done"

    client = app.test_client()

    def ask(words, accept):
        client.set_cookie("tester", words)
        return client.get("/harm", headers={"Accept": accept})

    yield ask
    db.close()


@pytest.mark.parametrize("words", LONG_AGO)
def test_who_was_asked_a_while_ago_is_asked_again(client, words):
    answer = client(words, "application/json")
    if words != "long_ago":
        assert answer.text == "done"
        return
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "proof_needed")
    assert client(words, "text/html").status_code == 401, "no feature has a page for this way to be known"


def test_a_session_at_a_gate_may_do_nothing(client):
    answer = client("held", "application/json")
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "sign_in_unfinished")


def test_an_identity_is_the_same_before_and_after_a_proof():
    before, after = (Identity("tester", "1", "Ada", scopes("read"), proved_at=at) for at in (1.0, 2.0))
    assert before == after
    assert hash(before) == hash(after)
