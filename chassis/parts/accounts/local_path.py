"""Where somebody goes after signing in: a path of ours, and nowhere else."""

from urllib.parse import urlsplit

MAX_CHARACTERS = 2_000


def local_path(text: str | None, default: str = "/") -> str:
    """Return the path with its query when a browser would stay on this host with it, else the default.

    Browsers take a backslash for a slash, and leave out tabs and line breaks.
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
