"""Flask's sessions in a signed cookie."""

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin


class Sessions(SecureCookieSessionInterface):
    """Skips reading and saving for a request that uses no session."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the request's cookie, or an empty one."""
        if self.get_cookie_name(app) not in request.environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        return super().open_session(app, request)

    def is_null_session(self, obj: object) -> bool:
        """Return whether there is no session, as without a secret key; the usual class needs no further check."""
        return type(obj) is not SecureCookieSession and super().is_null_session(obj)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie; an empty session that was neither read nor changed needs no header."""
        if session or session.accessed or session.modified:
            super().save_session(app, session, response)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is for TLS only, which it is when the request uses TLS."""
        return request.is_secure

    def get_cookie_samesite(self, app: Flask) -> str:
        """Return the policy that keeps other sites' forms and scripts from sending the cookie."""
        return "Lax"
