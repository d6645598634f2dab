"""Finds the pages of the service: those of the URL map, and one of each kind that a page links to."""

import re
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException

NO_PAGE = "/not-a-page"
LINKS = "[...document.querySelectorAll('a[href]:not([download])')].map((link) => link.href)"


class Places:
    """The paths to look at, by the rule of the URL map that they match; it grows while pages are visited."""

    def __init__(self, app, url: str) -> None:
        self._url, self._map = url, app.url_map.bind("")
        rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
        self.known = {rule.rule: rule.rule for rule in rules if "." not in rule.rule} | {NO_PAGE: NO_PAGE}

    def note_links(self, page) -> None:
        """Add a path of each rule that the page links to and that is not known."""
        for link in page.evaluate(LINKS):
            if link.startswith(f"{self._url}/"):
                self.note(urlsplit(link).path)

    def note(self, path: str) -> None:
        """Add a path if none of its rule is known."""
        if "<path:" not in (rule := self.rule_of(path)):
            self.known.setdefault(rule, path)

    def rule_of(self, path: str) -> str:
        """Return the rule that a path matches, or the path itself."""
        try:
            return self._map.match(path, return_rule=True)[0].rule
        except HTTPException:
            return path


def file_name(rule: str) -> str:
    """Return a rule as the beginning of a file's name: `/things/<thing_id>` is `things-thing_id`."""
    return re.sub(r"[^a-z0-9._-]+", "-", re.sub(r"<(?:[^:>]*:)?(\w+)>", r"\1", rule).lower()).strip("-") or "home"
