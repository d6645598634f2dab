"""A server of the application in `mail_app.py`."""

from pathlib import Path

from chassis.tests.servers import gunicorn


def serving_mail(serve, smtp, **env):
    """Return a server that sends by a mail server of the test."""
    command = gunicorn(Path(__file__).parent, "mail_app:app")
    url = f"smtp://127.0.0.1:{smtp.port}"
    return serve(command=command, SMTP_URL=url, MAIL_FROM="no-reply@example.org", **env)
