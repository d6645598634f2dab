"""Answers with the content of a stored file: whole, a range of it, or that it has not changed."""

from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote

from flask import Response, request
from werkzeug.datastructures import Headers
from werkzeug.wsgi import FileWrapper

from chassis.errors import AppError
from chassis.files.model import StoredFile
from chassis.files.service import begin, opened

SHOWN = ("image/jpeg", "image/png", "image/webp")  # a browser may show what was re-encoded here
HARMLESS = "default-src 'none'; sandbox"  # the policy of whatever a browser makes of the content
PIECE_BYTES = 65_536
UNQUOTED = "!#$&+^`|~"  # https://www.rfc-editor.org/rfc/rfc8187#section-3.2.1


def send(file: StoredFile, *, inline: bool = False) -> Response:
    """Return the response with a file that the caller may see (`seen` checks that), as a download.

    With `inline`, images are shown in place. Ranges, If-Range and If-None-Match are answered; nothing is compressed.
    """
    place = "inline" if inline and file.kind in SHOWN else "attachment"
    headers = Headers({"Content-Security-Policy": HARMLESS, "Cache-Control": "private, no-cache"})
    headers.set("Content-Disposition", place, **_named(file.name))
    content = FileWrapper(opened(file), PIECE_BYTES)  # gunicorn's cannot seek: it reads all before a range
    response = Response(content, headers=headers, content_type=file.kind, direct_passthrough=True)
    response.content_length = file.size
    response.set_etag(file.sha256)
    response.last_modified = datetime.fromtimestamp(int(file.created_at), UTC)
    ranged = _asks_for_a_part(file.size)
    response.make_conditional(request.environ, accept_ranges=ranged, complete_length=file.size)
    if response.status_code == HTTPStatus.PRECONDITION_FAILED:
        content.close()
        raise AppError(
            "The file is another version.", code="precondition_failed", status=HTTPStatus.PRECONDITION_FAILED
        )
    response.accept_ranges = "bytes"
    if response.status_code < HTTPStatus.MULTIPLE_CHOICES and request.method != "HEAD":
        begin(content.file, response.content_range.start or 0)
    return response


def _asks_for_a_part(size: int) -> bool:
    """Return whether the request asks for one range; all others get the whole file.

    Those are several ranges, what is no range of bytes, and a suffix that is longer than the file:
    https://www.rfc-editor.org/rfc/rfc9110#section-14.2
    """
    asked = request.range
    if request.method != "GET" or asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return False
    first, _ = asked.ranges[0]
    return bool(first >= -size)


def _named(name: str) -> dict[str, str]:
    """Return the parameters of RFC 6266: a name in ASCII, and the whole name if it is not ASCII."""
    plain = name.encode("ascii", "replace").decode().translate(str.maketrans('"\\%?', "____"))
    return {"filename": plain} | ({"filename*": f"UTF-8''{quote(name, safe=UNQUOTED)}"} if plain != name else {})
