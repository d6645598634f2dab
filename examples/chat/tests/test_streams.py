"""An answer while it is written: seen by all viewers, also after a reload; stopped by them, and without them."""

import time

from app.features.chat.tests.talks import answered, ask, conversation, events, question, thread
from chassis.tests.conftest import same_in_every_mode
from chassis.tests.patience import wait_until

STOP_SECONDS = 0.5
WORKERS = {"GUNICORN_WORKERS": "2"}


def in_flight(upstream):
    return upstream.stats()["in_flight"]


def test_viewers_see_the_answer_come_and_a_reload_goes_on_with_it(own, watch):
    server, _ = own()
    asked = conversation(server)
    first = watch(server, asked)
    answer_id = question(server, asked, "[forever]")
    wait_until(lambda: first.text().count("more") > 3)
    assert first.of("stream:start")[0]["about"] == {"message": answer_id}
    late = watch(server, asked)
    (running,) = late.joined["stream"]["streams"]
    assert running["text"].startswith("more more ")
    length = len(late.text())
    wait_until(lambda: len(late.text()) > length + 20)
    assert set(late.text().split()) == {"more"}
    first.call("stream:stop", {"id": running["id"], "room": late.room})
    wait_until(late.end)
    assert thread(server, asked)[-1]["status"] == "stopped"


def test_a_stop_ends_the_call_and_keeps_the_text(own, watch):
    server, upstream = own()
    asked = conversation(server)
    viewer = watch(server, asked)
    question(server, asked, "[forever]")
    wait_until(viewer.text)
    stream = viewer.of("stream:start")[0]["id"]
    assert viewer.call("stream:stop", {"id": stream, "room": viewer.room}) == {"ok": True}
    wait_until(viewer.end)
    assert viewer.end()["outcome"] == "stopped"
    answer = thread(server, asked)[-1]
    assert (answer["status"], answer["error"]) == ("stopped", None)
    assert answer["text"].startswith("more ")
    wait_until(lambda: in_flight(upstream) == 0)
    question(server, asked, "and now?")
    assert answered(server, asked)["text"].endswith("echo: and now?")


def test_a_stop_takes_half_a_second_also_while_nothing_comes(own, watch):
    server, _ = own()
    asked = conversation(server)
    viewer = watch(server, asked)
    question(server, asked, "[pause]")
    wait_until(viewer.text)
    best = None
    for _ in range(5):  # the fastest counts, since the machine may be busy
        stream = viewer.of("stream:start")[-1]["id"]
        began = time.monotonic()
        viewer.call("stream:stop", {"id": stream, "room": viewer.room})
        wait_until(lambda: [end for end in viewer.of("stream:end") if end["id"] == stream])  # noqa: B023
        best = min(best or 99, time.monotonic() - began)
        if best < STOP_SECONDS:
            break
        ask(server, "POST", f"/conversations/{asked}/retry")
        wait_until(lambda: viewer.of("stream:start")[-1]["id"] != stream and viewer.of("stream:part")[-1]["text"])  # noqa: B023
    assert best < STOP_SECONDS


def test_an_http_client_that_hangs_up_ends_the_call(own):
    server, upstream = own()
    asked = conversation(server)
    with ask(server, "POST", f"/conversations/{asked}/answers", {"text": "[forever]"}, stream=True) as response:
        parts = events(response)  # it hangs up when it is forgotten
        assert next(parts)[0] == "part"
        wait_until(lambda: in_flight(upstream) == 1)
    wait_until(lambda: in_flight(upstream) == 0)
    answer = answered(server, asked)
    assert answer["status"] == "stopped"


def test_an_answer_that_nobody_watches_ends(own, watch):
    server, upstream = own(STREAM_UNWATCHED_SECONDS="0.5")
    asked = conversation(server)
    viewer = watch(server, asked)
    question(server, asked, "[forever]")
    wait_until(viewer.text)
    viewer.disconnect()
    answer = answered(server, asked)
    assert (answer["status"], answer["error"]) == ("stopped", "Nobody has been watching.")
    wait_until(lambda: in_flight(upstream) == 0)


def test_the_model_gets_the_excerpts_and_the_conversation(own, watch):
    server, upstream = own(CHAT_EMBEDDING_MODEL="acme/embed")
    asked = conversation(server)
    watch(server, asked)
    for text in ("one", "two"):
        question(server, asked, text)
        answered(server, asked)
    embedded, first, _, second = upstream.stats()["bodies"]
    assert (embedded["model"], embedded["input"]) == ("acme/embed", ["one"])
    assert first["max_tokens"] == 1000
    assert [(one["role"], one["content"]) for one in second["messages"][1:]] == [
        ("user", "one"),
        ("assistant", "echo: one"),
        ("user", "two"),
    ]
    assert second["messages"][0]["role"] == "system"


def test_more_streams_than_there_are_places_are_told(own, watch):
    server, _ = own(MAX_CONCURRENT_STREAMS="1")
    one, two = conversation(server), conversation(server)
    viewer = watch(server, one)
    question(server, one, "[forever]")
    wait_until(viewer.text)
    full = ("failed", "Too many answers are being streamed right now: try again shortly.")
    question(server, two, "me too")
    answer = thread(server, two)[-1]
    assert (answer["status"], answer["error"]) == full
    with ask(server, "POST", f"/conversations/{two}/answers", {"text": "me too"}, stream=True) as response:
        ((name, data),) = events(response)
    assert (name, data["error"]["code"]) == ("error", "too_many_streams")
    answer = thread(server, two)[-1]
    assert (answer["status"], answer["error"]) == full
    assert ask(server, "POST", f"/conversations/{two}/retry").status_code == 202


@same_in_every_mode
def test_viewers_at_other_workers_see_and_stop_an_answer(own, watch):
    server, upstream = own(**WORKERS)
    asked = conversation(server)
    viewers = [watch(server, asked) for _ in range(4)]
    question(server, asked, "[forever]")
    wait_until(lambda: all(viewer.text() for viewer in viewers))
    for viewer in viewers:
        (stream,) = viewer.of("stream:start")
        viewer.call("stream:stop", {"id": stream["id"], "room": viewer.room})
    wait_until(lambda: all(viewer.end() for viewer in viewers))
    assert {viewer.end()["outcome"] for viewer in viewers} == {"stopped"}
    assert thread(server, asked)[-1]["status"] == "stopped"
    wait_until(lambda: in_flight(upstream) == 0)
