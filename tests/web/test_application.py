"""The application class: which functions it calls as they are."""

from flask import Flask

from app.web.application import Application


def test_plain_functions_are_called_as_they_are_and_coroutines_are_left_to_flask(monkeypatch):
    class Callable:
        def __call__(self):
            return "called"

    async def coroutine():
        return "awaited"

    def plain():
        return "plain"

    left = []
    monkeypatch.setattr(Flask, "ensure_sync", lambda _app, func: left.append(func) or func)
    app, one = Application("a"), Callable()
    assert [app.ensure_sync(func) for func in (plain, one, coroutine)] == [plain, one, coroutine]
    assert left == [one, coroutine]
