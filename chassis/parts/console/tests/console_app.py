"""The application with a way to be known that the tests have without accounts: a cookie that says who it is."""

from http.cookies import SimpleCookie

from flask import jsonify

from app import create_app
from chassis.jobs import job
from chassis.parts.console import live
from chassis.security.guard import public
from chassis.security.identity import Identity, Kind, scopes
from chassis.wiring import wiring_of

app = create_app()


def look_up(credentials):
    cookie = SimpleCookie(credentials.environ.get("HTTP_COOKIE", "")).get("tester")
    if cookie is None or credentials.key:
        return None
    return Identity("tester", cookie.value, f"{cookie.value}@example.org", scopes(cookie.value), session=cookie.value)


wiring_of(app).identities["tester"] = Kind(look_up, lambda found: True)


@job("talk")
def talk(context, payload):
    """Log what is asked for, one of it a secret, and wait to be told to go."""
    context.log.info("talking", words=payload["words"], api_key="never shown")
    for number in range(payload.get("lines", 0)):
        context.log.info("line", number=number)
    context.progress(1, 2, "half way")
    context.wait(payload.get("seconds", 0))


@app.get("/looking")
@public
def looking():
    """Tell whether anything is sent to the console's pages."""
    return jsonify(live.ticker._running)
