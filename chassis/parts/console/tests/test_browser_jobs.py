"""The job list and the pages of jobs in a real Chromium: search, selection, actions, questions, and undo."""

import pytest

from chassis.parts.console.tests.conftest import opened, send, stored
from chassis.tests.browser import agree

pytestmark = pytest.mark.browser


def test_jobs_are_found_looked_at_and_queued_again(server, job_list, wait_for):
    console = job_list
    talk = stored(server, 1, "interrupted", "talk", {"words": "good morning", "seconds": 60})[0]
    stored(server, 2, "interrupted")
    console.click("#states [data-state=interrupted]")
    wait_for(lambda: console.locator("#rows tr:not([hidden])").count() == 3)
    console.select_option("#kind", "talk")
    wait_for(lambda: console.locator("#rows tr:not([hidden])").count() == 1)
    console.click("#rows tr:not([hidden]) .act button")
    console.get_by_text("1 job was queued again.").wait_for()
    console.click("#states [data-state=running]")
    console.click("#rows tr:not([hidden]) .open")
    console.locator("#log >> text=good morning").wait_for()
    assert console.url == f"{server.url}/admin/console/jobs/{talk}"
    assert console.inner_text("#job-id") == talk
    console.locator("#share >> text=1 of 2").wait_for()
    console.click("#job-cancel")
    assert agree(console) == f"Cancel talk {talk[:8]}?"
    console.locator("#job-state >> text=cancelled").wait_for()
    console.locator("#timeline >> text=Attempt 1 started").wait_for()
    console.locator("#timeline >> text=Attempt cancelled").wait_for()
    console.go_back()
    console.wait_for_selector("#states [data-state=running][aria-pressed=true]")
    assert console.input_value("#kind") == "talk", "Back shows what was looked for"
    console.select_option("#kind", "")
    console.click("#requeue-interrupted")
    assert agree(console) == "Retry all 2 interrupted jobs?"
    console.get_by_text("2 jobs were queued again.").wait_for()
    console.click("#states [data-state=queued]")
    wait_for(lambda: console.locator("#rows tr:not([hidden])").count() == 2)
    console.check("#choose-all")
    assert console.inner_text("#chosen-count") == "2 selected"
    console.click("#cancel-chosen")
    agree(console)
    console.get_by_text("2 jobs were cancelled.").wait_for()
    wait_for(lambda: console.locator("#rows tr:not([hidden])").count() == 0)
    assert console.problems == []


@pytest.mark.long
def test_a_new_job_appears_and_a_lost_connection_is_shown_and_comes_back(server, job_list):
    console = job_list
    first = "#rows tr:first-child"
    job = stored(server, 1, "failed", "talk", {"words": "later", "seconds": 60})[0]
    send(server, "/admin/console/jobs/requeue", {"ids": [job]})
    console.locator(f"{first} >> text=running").wait_for()
    console.evaluate("Live.rooms.socket.io.engine.close()")
    console.wait_for_selector("#state[data-ready=null]")
    console.wait_for_selector("#state[data-ready=true]")
    send(server, "/admin/console/jobs/cancel", {"ids": [job]})
    console.locator(f"{first} >> text=cancelled").wait_for()
    assert console.errors == []


def test_rows_hold_still_under_the_pointer_and_a_selection_outlives_its_page(server, job_list):
    console = job_list
    job = stored(server, 41, "failed", "talk", {"words": "still", "seconds": 60})[0]
    console.reload()
    console.wait_for_selector("#rows tr:first-child:not([hidden])")
    before = console.locator("#rows .open").first.get_attribute("href")
    console.hover("#rows tr:first-child .said")
    send(server, "/admin/console/schedules/cleanup/run", {})
    console.wait_for_selector("#new-jobs >> text=new job")
    assert console.locator("#rows .open").first.get_attribute("href") == before
    console.hover("h1")
    console.wait_for_selector("#rows tr:first-child >> text=cleanup")
    console.select_option("#kind", "talk")
    console.click("#states [data-state=failed]")
    console.wait_for_selector("#rows tr:first-child >> text=talk")
    console.check("#choose-all")
    console.click("#older")
    console.get_by_text("20 selected, 20 not on this page").wait_for()
    console.click("#clear-chosen")
    send(server, "/admin/console/jobs/requeue", {"ids": [job]})
    console.click("#states [data-state=running]")
    console.click("#rows tr:not([hidden]) .act button")
    assert agree(console) == f"Cancel talk {job[:8]}?"
    console.get_by_text("1 job was cancelled.").wait_for()
    assert console.is_hidden("#undo"), "a job that runs cannot be told to go on"


def test_filters_and_ranges_are_in_the_url_and_back_works(server, console, wait_for):
    stored(server, 3, "failed", "talk", {"words": "a grey heron"})
    opened(server, console, "jobs?q=grey+heron&state=failed")
    wait_for(lambda: console.locator("#rows tr:not([hidden])").count() == 3)
    assert console.input_value("#q") == "grey heron"
    console.fill("#owner", "nobody")
    console.press("#owner", "Enter")
    console.get_by_text("No jobs match.").wait_for()
    assert console.url.endswith("/jobs?q=grey+heron&state=failed&owner=nobody")
    console.go_back()
    wait_for(lambda: console.locator("#rows tr:not([hidden])").count() == 3)
    assert console.input_value("#owner") == ""
    opened(server, console, "")
    console.click("#range >> text=24 h")
    wait_for(lambda: console.url.endswith("/console?hours=24"))
    console.reload()
    console.wait_for_selector("#range [data-hours='24'][aria-pressed=true]")
    assert console.problems == []


def test_all_that_match_are_deleted_after_a_question_that_names_them(server, job_list, wait_for):
    console = job_list
    ids = stored(server, 25, "failed", "talk", {"words": "delete all of these"})
    opened(server, console, "jobs?q=delete+all+of+these")
    wait_for(lambda: console.locator("#rows tr:not([hidden])").count() == 20)
    console.check("#choose-all")
    console.click("#choose-matching")
    console.get_by_text("All 25 that match are selected").wait_for()
    console.click("#delete-chosen")
    newest = ", ".join(f"talk {job[:8]}" for job in ids[:3])
    console.get_by_text(f"The newest are {newest}.").wait_for()
    assert agree(console) == "Delete all 25 jobs that match text “delete all of these”?"
    console.get_by_text("25 jobs were deleted.").wait_for()
    console.get_by_text("No jobs match.").wait_for()
    console.press("body", "Control+z")
    console.get_by_text("Undone for 25 jobs.").wait_for()
    wait_for(lambda: console.locator("#rows tr:not([hidden])").count() == 20)
    assert console.problems == []


def test_a_job_deleted_on_its_page_is_brought_back_on_the_next_one_with_its_log(server, console, wait_for):
    job = stored(server, 1, "failed", "talk", {"words": "brought back"})[0]
    send(server, "/admin/console/jobs/requeue", {"ids": [job]})
    opened(server, console, f"jobs/{job}")
    console.locator("#job-state >> text=succeeded").wait_for()
    console.locator("#log >> text=brought back").wait_for()
    console.click("#job-delete")
    assert agree(console) == f"Delete talk {job[:8]}?"
    console.wait_for_url("**/console/jobs")
    console.get_by_text(f"talk {job[:8]} was deleted.").wait_for()
    console.focus("#undo")
    console.keyboard.press("Enter")
    console.get_by_text("Undone for 1 job.").wait_for()
    opened(server, console, f"jobs/{job}")
    console.locator("#log >> text=brought back").wait_for()
    assert console.problems == []


def test_jobs_are_told_apart_by_arguments_and_the_question_can_be_declined(server, job_list, wait_for):
    console = job_list
    job = stored(server, 1, "failed", "talk", {"words": "a purple heron", "api_key": "never shown"})[0]
    opened(server, console, "jobs?q=purple+heron")
    console.locator("#rows >> text=words: a purple heron, api_key: ***").wait_for()
    console.check("#choose-all")
    console.click("#delete-chosen")
    console.wait_for_selector("#asking:popover-open")
    console.keyboard.press("Escape")
    console.wait_for_selector("#asking", state="hidden")
    assert console.evaluate("document.activeElement.id") == "delete-chosen"
    with console.expect_response("**/jobs/requeue"):
        console.click("#requeue-chosen")
    console.get_by_text("1 job was queued again.").wait_for()
    assert send(server, "/admin/console/jobs/delete", {"ids": [job]})[0] in (200, 409)
