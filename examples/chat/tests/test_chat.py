"""Documents are read, questions are answered from them with citations, and conversations are kept."""

import pytest

from app.features.chat.tests.talks import (
    KETTLE,
    answered,
    ask,
    conversation,
    events,
    question,
    read,
    thread,
    upload,
)


def test_a_question_is_answered_from_a_document_which_is_cited(site):
    (document,) = read(site, ("kettle.md", KETTLE))
    assert (document["status"], document["passages"], document["error"]) == ("ready", 1, None)
    asked = conversation(site)
    question(site, asked, "How long is the warranty of the kettle?")
    answer = answered(site, asked)
    assert (answer["status"], answer["model"]) == ("done", "mock")
    assert "The warranty of the kettle lasts 24 months." in answer["text"]
    (source,) = [one for one in answer["sources"] if one["document_id"] == document["id"]]
    assert f"[{source['number']}]" in answer["text"]
    assert source["name"] == "kettle.md"
    assert ask(site, "GET", f"/conversations/{asked}").json()["title"] == "How long is the warranty of the kettle?"


def test_an_answer_is_streamed_over_http(site):
    read(site, ("kettle.md", KETTLE))
    asked = conversation(site)
    with ask(site, "POST", f"/conversations/{asked}/answers", {"text": "warranty?"}, stream=True) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        found = list(events(response))
    assert found[-1] == ("end", {"outcome": "done"})
    assert len(found) > 5
    assert "".join(data["text"] for _, data in found[:-1]) == thread(site, asked)[-1]["text"]


def test_a_question_is_edited_and_asked_again(site):
    asked = conversation(site)
    question(site, asked, "first")
    answered(site, asked)
    question(site, asked, "second")
    answered(site, asked)
    first = thread(site, asked)[0]
    place = f"/conversations/{asked}/messages/{first['id']}"
    assert ask(site, "PUT", place, {"text": "other"}).status_code == 202
    answer = answered(site, asked)
    assert [one["text"] for one in thread(site, asked) if one["role"] == "user"] == ["other"]
    assert ask(site, "POST", f"/conversations/{asked}/retry").status_code == 202
    again = answered(site, asked)
    assert again["id"] != answer["id"]
    assert (len(thread(site, asked)), again["status"]) == (2, "done")
    assert ask(site, "PUT", place, {"text": "gone"}).status_code == 404


def test_only_one_answer_of_a_conversation_is_written_at_a_time(site):
    read(site, ("kettle.md", KETTLE))
    asked = conversation(site)
    question(site, asked, "warranty of the kettle")
    second = ask(site, "POST", f"/conversations/{asked}/messages", {"text": "and?"})
    assert (second.status_code, second.json()["error"]["code"]) == (409, "busy")
    answered(site, asked)
    question(site, asked, "and?")


def test_conversations_are_exported_and_deleted(serve):
    server = serve()
    one, two = conversation(server), conversation(server)
    question(server, one, "What is new?")
    answered(server, one)
    exported = ask(server, "GET", "/export").json()["conversations"]
    assert {found["id"]: len(found["messages"]) for found in exported} == {one: 2, two: 0}
    assert ask(server, "DELETE", f"/conversations/{two}").status_code == 204
    assert ask(server, "GET", f"/conversations/{two}").status_code == 404
    assert ask(server, "DELETE", f"/conversations/{one}").status_code == 204
    assert ask(server, "GET", "/export").json() == {"conversations": []}
    assert 429 in {ask(server, "GET", "/export").status_code for _ in range(30)}
    assert ask(server, "GET", "/conversations").json()["total"] == 0


def test_a_deleted_document_is_not_found_any_more(site):
    (document,) = read(site, ("zebra.txt", b"Zebras have stripes on Thursdays."))
    asked = conversation(site)
    question(site, asked, "zebras stripes")
    assert answered(site, asked)["sources"][0]["name"] == "zebra.txt"
    assert ask(site, "DELETE", f"/documents/{document['id']}").status_code == 204
    assert ask(site, "GET", f"/documents/{document['id']}").status_code == 404
    assert site.get(f"/api/files/{document['id']}")[0] == 404
    question(site, asked, "zebras stripes")
    assert [one for one in answered(site, asked)["sources"] if one["name"] == "zebra.txt"] == []


@pytest.mark.parametrize("text", ["", "   \n", None, 7, "x" * 8_001])
def test_what_is_no_question_is_refused(site, text):
    refused = ask(site, "POST", f"/conversations/{conversation(site)}/messages", {"text": text})
    assert refused.status_code == 400


@pytest.mark.parametrize("search", ['"', "' OR 1=1 --", "NEAR(a b)", "* ^ : - ( )", "\ufffd \u202e 🦠", "NOT", "a_b'c"])
def test_a_question_of_any_characters_is_answered(site, search):
    asked = conversation(site)
    question(site, asked, search)
    assert answered(site, asked)["status"] == "done"


def test_files_of_other_types_are_refused_together(site):
    before = ask(site, "GET", "/documents").json()["total"]
    refused = upload(site, ("good.txt", b"good"), ("picture.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100))
    assert (refused.status_code, refused.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert ask(site, "GET", "/documents").json()["total"] == before


def test_the_page_says_what_answers_and_how_documents_are_searched(site):
    page = site.get("/chat")[1]
    assert "Mock mode: no model is asked." in page
    assert "Documents are searched by " in page
