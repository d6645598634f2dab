"""A patch of werkzeug: replaces the class that its form parser uses for multipart bodies.

Tested with the version of werkzeug in guard.TESTED.
"""

from collections.abc import Callable

from chassis.server.patches import guard

NEEDED = (
    "werkzeug.formparser:MultipartDecoder(boundary, max_form_memory_size, max_parts)",
    "werkzeug.formparser:MultipartDecoder._parse_headers(self, data)",
)
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
