"""E-mail: messages from templates, sent by jobs that are retried, or by a command at once."""

from flask import Blueprint, Flask

from chassis.mail.outbox import KIND, ready, send, send_now

__all__ = ["KIND", "ready", "send", "send_now"]


def install(app: Flask) -> None:
    """Register the templates, and the kind of jobs that send."""
    from chassis.mail import jobs

    jobs.register()
    app.register_blueprint(Blueprint("mail_files", __name__, template_folder="templates"))
