"""URLs in settings."""

from urllib.parse import SplitResult, urlsplit


def parts(url: str) -> SplitResult:
    """Return the parts of a URL; all are empty when Python cannot split it (`http://[`)."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
