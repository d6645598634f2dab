"""Batches that the tests ask for and wait for."""

import re

ENDED = ("succeeded", "failed", "cancelled", "interrupted")


def ask(server, rows, prompt="say {n}", name="batch"):
    status, made = server.post("/api/predictions", {"name": name, "prompt": prompt, "rows": rows})
    assert status == 202, made
    return made


def ended(server, wait_for, made):
    return wait_for(lambda: (b := server.json(f"/api/predictions/{made['id']}"))["status"] in ENDED and b)


def keys_of(upstream):
    return {"UPSTREAM_BASE_URL": upstream.url, "OPENROUTER_API_KEY": "sk-local-12345678"}


def numbers(count):
    return [{"n": f"{i}"} for i in range(count)]


def done(page):
    """Return how many rows the page shows as done; 0 before it has heard of any."""
    shown = re.match(r"[\d,]+", page.inner_text("#done"))
    return int(shown[0].replace(",", "")) if shown else 0
