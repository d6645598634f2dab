"""The page: documents are added, questions asked, stopped and edited; a reload goes on with a growing answer."""

from app.features.chat.tests.talks import KETTLE, question, thread
from chassis.tests.patience import wait_until

PHONE = {"width": 390, "height": 844}


def opened(page, server, path="/chat"):
    page.goto(server.url + path)
    page.wait_for_selector("[data-connection=live]")


def test_a_document_is_added_and_asked_about_on_a_phone(site, page):
    page.set_viewport_size(PHONE)
    opened(page, site)
    page.click("#show-side")
    page.set_input_files("#files", {"name": "kettle.md", "mimeType": "text/markdown", "buffer": KETTLE})
    page.wait_for_selector("#documents li:has-text('kettle.md'):not(:has(.badge))")
    page.set_input_files("#files", {"name": "x.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n\x00"})
    page.wait_for_selector("#documents .failure:has-text('it is damaged')")
    page.click("#show-side")
    page.fill("#question", "How long is the warranty of the kettle?")
    page.press("#question", "Enter")
    page.wait_for_selector(".assistant[data-status=done]:has-text('24 months')")
    page.locator(".chat-cite").first.click()
    page.wait_for_selector("details[open] blockquote:has-text('The warranty of the kettle lasts')")
    question(site, page.url.rpartition("/")[2], "And how is it descaled?")  # the page fetches the conversation again
    page.wait_for_selector("li:nth-child(4).assistant[data-status=done]")
    assert page.locator("li:nth-child(2) details[open]").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.url.startswith(f"{site.url}/chat/")
    assert page.problems == []


def test_a_reload_in_the_middle_goes_on_and_the_answer_is_stopped_and_tried_again(own, page):
    server, _ = own()
    opened(page, server)
    page.fill("#question", "[forever]")
    page.click("#send")
    page.wait_for_selector(".assistant[data-status=streaming]:has-text('more more more')")
    page.reload()
    page.wait_for_selector(".assistant[data-status=streaming]:has-text('more more more')")
    length = len(page.inner_text(".assistant"))
    wait_until(lambda: len(page.inner_text(".assistant")) > length + 20)
    page.click("#stop")
    page.wait_for_selector(".assistant[data-status=stopped] >> text=Stopped before its end.")
    page.click(".user >> text=Edit")
    page.fill(".chat-edit textarea", "[break-off]")
    page.click(".chat-edit .primary")
    page.wait_for_selector(".assistant[data-status=cut]:has-text('half')")
    assert page.locator(".chat-message").count() == 2
    page.click(".assistant >> text=Try again")
    conversation_id = page.url.rpartition("/")[2]
    wait_until(lambda: thread(server, conversation_id)[-1]["status"] == "cut")
    page.wait_for_selector(".assistant[data-status=cut]:has-text('half')")
    assert page.errors == []


def test_what_a_model_says_is_text_and_no_markup(own, page):
    server, _ = own()
    opened(page, server)
    page.fill("#question", "<img src=x onerror=alert(1)> **bold** [1] `code`")
    page.click("#send")
    page.wait_for_selector(".assistant[data-status=done] strong:has-text('bold')")
    assert page.locator(".chat-messages img").count() == 0
    assert "[1]" in page.inner_text(".assistant")
    assert page.errors == []
