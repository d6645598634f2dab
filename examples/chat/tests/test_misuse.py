"""What careless and hostile clients do: two questions at once, stops again and again, large and many documents."""

import concurrent.futures
import time

from app.features.chat.tests.talks import answered, ask, conversation, question, read, thread, upload
from chassis.tests.patience import wait_until

LARGE_BYTES = 50_000_000
FILES_AT_ONCE = 60
HEALTH_SECONDS = 5.0  # at most, also on a busy machine; an event loop that reads the document takes longer


def test_two_questions_at_once_begin_one_answer(own):
    server, upstream = own()
    asked = conversation(server)

    def one(number):
        return ask(server, "POST", f"/conversations/{asked}/messages", {"text": f"{number} [forever]"}).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [202, *[409] * 7]
    assert [message["role"] for message in thread(server, asked)] == ["user", "assistant"]
    wait_until(lambda: upstream.stats()["in_flight"] == 1)


def test_an_answer_is_stopped_once_however_often_it_is_told(own, watch):
    server, upstream = own()
    asked = conversation(server)
    viewers = [watch(server, asked), watch(server, asked)]
    question(server, asked, "[forever]")
    for viewer in viewers:
        wait_until(viewer.text)
    order = {"id": viewers[0].of("stream:start")[0]["id"], "room": viewers[0].room}
    assert viewers[0].call("stream:stop", order) == {"ok": True}
    again = [viewer.call("stream:stop", order) for viewer in viewers]
    assert all(one["ok"] or one["error"]["code"] == "not_found" for one in again)
    assert answered(server, asked)["status"] == "stopped"
    wait_until(lambda: upstream.stats()["in_flight"] == 0)
    question(server, asked, "and now?")
    assert answered(server, asked)["text"] == "echo: and now?"
    for viewer in viewers:
        wait_until(lambda: len(viewer.of("stream:end")) > 1)  # noqa: B023
        assert [end["id"] for end in viewer.of("stream:end")].count(order["id"]) == 1


def test_a_document_of_fifty_megabytes_is_refused_and_holds_nobody_up(site):
    large = upload(site, ("large.txt", b"word " * (LARGE_BYTES // 5)))
    assert large.status_code == 201, large.text
    (document,) = large.json()["items"]
    slowest = 0.0

    def done():
        nonlocal slowest
        began = time.monotonic()
        assert site.get("/livez")[0] == 200
        slowest = max(slowest, time.monotonic() - began)
        return ask(site, "GET", f"/documents/{document['id']}").json()["status"] not in ("queued", "running")

    wait_until(done)
    refused = ask(site, "GET", f"/documents/{document['id']}").json()
    assert refused["error"] == "The document cannot be used: it has more than 2,000,000 characters of text."
    assert (refused["status"], refused["passages"]) == ("failed", 0)
    assert slowest < HEALTH_SECONDS


def test_a_document_above_the_limit_is_not_taken(site):
    refused = upload(site, ("larger.txt", b"x" * 52_428_801))
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "payload_too_large")


def test_many_documents_are_read_and_listed_in_pages(serve, page):
    server = serve(MAX_FILES_PER_BATCH="100")
    read(
        server,
        *((f"{number:03}.txt", f"Animal {number} eats plant {number}.".encode()) for number in range(FILES_AT_ONCE)),
    )
    page.goto(f"{server.url}/chat")
    page.wait_for_selector("#documents li:nth-child(50)")
    assert page.locator("#documents li").count() == 50
    page.click("#more-documents")
    page.wait_for_selector(f"#documents li:nth-child({FILES_AT_ONCE})")
    page.wait_for_selector("#more-documents", state="hidden")
    asked = conversation(server)
    question(server, asked, "What does animal 37 eat?")
    assert answered(server, asked)["sources"][0]["name"] == "037.txt"


def test_a_question_in_html_is_text_everywhere(site, page):
    asked = conversation(site)
    text = "<script>window.broken = 1</script><img src=x onerror='window.broken = 1'> [1] **b**"
    question(site, asked, text)
    answered(site, asked)
    page.goto(f"{site.url}/chat/{asked}")
    page.wait_for_selector(".user .chat-text")
    assert page.inner_text(".user .chat-text") == text
    assert "<" not in page.inner_text("#title")
    assert page.evaluate("window.broken") is None
