"""Conversations and documents belong to whoever made them; admins see all, and nobody finds another's documents."""

import pytest
import socketio

from app.features.chat.tests.talks import KETTLE, answered, ask, conversation, question, read
from chassis.tests.security.conftest import ADMIN, CLIENT, GUARDED, OTHER


@pytest.fixture
def guarded(shared_with):
    return shared_with(**GUARDED)


def statuses(server, method, path, body=None):
    return [ask(server, method, path, body, key=key).status_code for key in (ADMIN, OTHER, "")]


def test_only_owners_and_admins_see_and_change(guarded, watch):
    (document,) = read(guarded, ("kettle.md", KETTLE), key=CLIENT)
    asked = conversation(guarded, CLIENT)
    place, file = f"/conversations/{asked}", f"/documents/{document['id']}"
    for path in (place, file):
        assert statuses(guarded, "GET", path) == [200, 404, 401], path
    assert statuses(guarded, "POST", f"{place}/messages", {"text": "mine?"})[1:] == [404, 401]
    first = f"{place}/messages/{'0' * 32}"
    for method, path in (
        ("POST", f"{place}/retry"),
        ("PUT", first),
        ("POST", f"{place}/answers"),
        ("DELETE", place),
        ("DELETE", file),
    ):
        found = [ask(guarded, method, path, {"text": "mine?"}, key=key).status_code for key in (OTHER, "")]
        assert found == [404, 401], path
    assert guarded.get(f"/chat/{asked}", {"X-API-Key": OTHER})[0] == 404
    assert guarded.get(f"/api/files/{document['id']}/content", {"X-API-Key": OTHER})[0] == 404
    for path in ("/conversations", "/documents"):
        assert ask(guarded, "GET", path, key=OTHER).json()["total"] == 0
    assert ask(guarded, "GET", "/export", key=OTHER).json() == {"conversations": []}
    assert watch(guarded, asked, auth={"key": CLIENT}).joined["ok"]
    assert watch(guarded, asked, auth={"key": OTHER}).joined["error"]["code"] == "not_found"
    with pytest.raises(socketio.exceptions.ConnectionError):
        watch(guarded, asked)
    exported = ask(guarded, "GET", "/export", key=CLIENT).json()["conversations"]
    assert asked in [one["id"] for one in exported]


def test_answers_cite_only_the_documents_of_their_conversations_owner(guarded):
    read(guarded, ("secret.txt", b"The password of the safe is swordfish."), key=CLIENT)
    asked = conversation(guarded, OTHER)
    question(guarded, asked, "What is the password of the safe?", key=OTHER)
    answer = answered(guarded, asked, OTHER)
    assert answer["sources"] == []
    assert "swordfish" not in answer["text"]
