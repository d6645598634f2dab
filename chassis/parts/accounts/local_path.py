"""The target of a redirect after signing in: a path on this host only."""

from urllib.parse import urlsplit

MAX_CHARACTERS = 2_000


def local_path(text: str | None, default: str = "/") -> str:
    """Return the path with its query if a browser would stay on this host, otherwise the default.

    Browsers treat a backslash as a slash, and ignore tabs and line breaks.
    """
    if not text or len(text) > MAX_CHARACTERS or not text.startswith("/"):
        return default
    if not text.isprintable() or "\\" in text or text.startswith("//"):
        return default
    try:
        parts = urlsplit(text)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else text
