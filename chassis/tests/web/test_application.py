"""The application class: how it writes JSON, and which functions it calls as they are."""

from datetime import date
from uuid import UUID

from flask import Flask

from chassis.web.application import Application

VALUES = {"b": "ü\u2028</script>", "a": [1.5, None, True, {"when": date(2026, 11, 22), "id": UUID(int=7)}]}


def test_an_answer_is_written_as_flask_would_in_the_order_of_its_fields():
    plain, ours = Flask("plain"), Application("ours")
    plain.json.sort_keys = False
    for app in (plain, ours):
        app.add_url_rule("/", "home", lambda: VALUES)
    assert ours.test_client().get("/").data == plain.test_client().get("/").data
    assert ours.json.dumps(VALUES) == plain.json.dumps(VALUES)


def test_ordinary_functions_are_called_as_they_are_and_coroutines_are_left_to_flask(monkeypatch):
    class Callable:
        def __call__(self):
            return "called"

    async def coroutine():
        return "awaited"

    def ordinary():
        return "returned"

    left = []
    monkeypatch.setattr(Flask, "ensure_sync", lambda _app, func: left.append(func) or func)
    app, instance = Application("a"), Callable()
    assert [app.ensure_sync(func) for func in (ordinary, instance, coroutine)] == [ordinary, instance, coroutine]
    assert left == [instance, coroutine]
