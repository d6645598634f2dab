"""Patches of werkzeug: the class that its form parser uses for multipart bodies, and rules that compile less.

Tested with the version of werkzeug in guard.TESTED.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from chassis.server.patches import guard

if TYPE_CHECKING:
    from werkzeug.routing import Rule

NEEDED = (
    "werkzeug.formparser:MultipartDecoder(boundary, max_form_memory_size, max_parts)",
    "werkzeug.formparser:MultipartDecoder._parse_headers(self, data)",
)
BUILDER = "werkzeug.routing.rules:Rule._compile_builder(self, append_unknown)"
LOSS = "The headers of form parts have no limit of their own."


def bound_heads_of_parts(most: Callable[[int | None], int], refused: Callable[[], Exception]) -> None:
    """Raise `refused()` if the headers of a form's parts exceed `most(max_parts)` bytes."""
    if not guard.fits("werkzeug", LOSS, *NEEDED):
        return
    from werkzeug import formparser
    from werkzeug.datastructures import Headers
    from werkzeug.sansio.multipart import MultipartDecoder

    class Parts(MultipartDecoder):
        _heads_bytes = 0

        def _parse_headers(self, data: bytes | bytearray) -> Headers:
            self._heads_bytes += len(data)
            if self._heads_bytes > most(self.max_parts):
                raise refused()
            return super()._parse_headers(data)

    vars(formparser)["MultipartDecoder"] = Parts


def rule_class() -> "type[Rule]":
    """Return a class of URL rules that compiles how a rule's URLs are built only when one is; most never are."""
    from werkzeug.routing import Rule

    if not guard.fits("werkzeug", "A start takes a little longer.", BUILDER):
        return Rule

    class LateRule(Rule):
        def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
            compiled = cache(partial(super()._compile_builder, append_unknown))

            def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
                return compiled()(rule, **values)

            return build

    return LateRule
