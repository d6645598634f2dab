"""Batches that the tests ask for and wait for."""

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
