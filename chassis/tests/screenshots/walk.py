"""Visits every page in every state and view."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.screenshots.checks import faults
from chassis.tests.screenshots.places import Places, file_name
from chassis.tests.screenshots.seeded import Seeded
from chassis.tests.screenshots.states import STATES, VIEWS, State

QUIET = "networkidle"
BY_DESIGN = ("Failed to load resource",)  # what the browser says of each answer that is an error


def take(seeded: Seeded, browser, folder: Path) -> list[str]:
    """Write a picture of each page in each state and view; return what is wrong with them."""
    places, found, filled = Places(seeded.app, seeded.url), [], False
    folder.mkdir(parents=True, exist_ok=True)
    for state in STATES:
        context = browser.new_context(java_script_enabled=state.scripts)
        try:
            page = opened(context, seeded, state)
            if state.data and not filled:
                seeded.fill(context)
                filled = True
            for name, path in visits(page, seeded.url, places, state):
                new = [f"{path}, {state.name}, {fault}" for fault in looked_at(page, folder / name, state)]
                print(*new, sep="\n", end="\n" if new else "", flush=True)
                found += new
        finally:
            context.close()
    return found


def opened(context, seeded: Seeded, state: State):
    """Return a new page in a state, whose `mistakes` are the errors of its scripts."""
    page = context.new_page()
    page.set_default_timeout(LIMIT_SECONDS * 1000)
    if state.signed_in:
        seeded.sign_in(page)
    if state.refused:
        context.route(state.refused, refuse)
    page.mistakes = []
    page.on("pageerror", lambda error: page.mistakes.append(str(error)))
    page.on("console", lambda told: page.mistakes.append(told.text) if told.type == "error" else None)
    return page


def refuse(route) -> None:
    """Answer what a page asks for with an error, but not what the visitor opens."""
    if route.request.resource_type == "document":
        route.continue_()
    else:
        route.fulfill(status=503, body="{}")


def visits(page, url: str, places: Places, state: State) -> Iterator[tuple[str, str]]:
    """Open each page that there is in a state; yield the beginning of its pictures' names, and its path."""
    seen, done = set(), set()
    while waiting := [rule for rule in places.known if rule not in done]:
        rule = waiting[0]
        done.add(rule)
        if _is_page(page, url + places.known[rule]):
            page.goto(url + places.known[rule], wait_until=QUIET)
            places.note(urlsplit(page.url).path)  # another one after a redirect, which has a rule of its own
            rule = places.rule_of(urlsplit(page.url).path)
            if rule not in seen:
                seen.add(rule)
                places.note_links(page)
                yield f"{file_name(rule)}.{state.name}", urlsplit(page.url).path


def looked_at(page, start: Path, state: State) -> list[str]:
    """Take a page's picture in each view; return what is wrong with it, each fault with its view."""
    found = []
    for view, options in VIEWS.items():
        page.set_viewport_size(options["size"])
        page.emulate_media(color_scheme=options["colours"])
        page.screenshot(path=f"{start}.{view}.png", full_page=True)
        found += [f"{view}: {fault}" for fault in faults(page, scripts=state.scripts)]
    found += [f"script: {text}" for text in page.mistakes if not text.startswith(BY_DESIGN)]
    page.mistakes.clear()
    return found


def _is_page(page, url: str) -> bool:
    answer = page.request.get(url, headers={"Accept": "text/html"})
    kind = answer.headers.get("content-type", "")
    attachment = "attachment" in answer.headers.get("content-disposition", "")
    return kind.startswith("text/html") and not attachment
