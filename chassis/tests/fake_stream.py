"""How the fake outside API streams: `echo: <prompt>` word by word, or in the odd form that the prompt asks for.

A form of fake_forms.py is named in brackets, such as `[crlf]`; `[gzip]`, `[close]` and `[untyped]` say how it is sent.
"""

import select
import time
import zlib
from http.server import BaseHTTPRequestHandler
from typing import Any

from chassis.tests.fake_forms import FORMS, Asked


def send(handler: BaseHTTPRequestHandler, body: dict[str, Any], attempt: int) -> None:
    """Stream an answer; the prompt also says whether it is packed or framed by the end of the connection."""
    prompt = body["messages"][-1]["content"]
    handler.send_response(200)
    for name, value in headers(prompt).items():
        handler.send_header(name, value)
    handler.end_headers()
    chunked, packer = "[close]" not in prompt, gzip_packer() if "[gzip]" in prompt else None
    for piece in FORMS[Asked(body, attempt).form](Asked(body, attempt)):
        if isinstance(piece, float):
            wait(handler, piece)
            continue
        sent = packer(piece) if packer else piece
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent) if chunked else sent)
        handler.wfile.flush()
    if chunked:
        handler.wfile.write(b"0\r\n\r\n")


def headers(prompt: str) -> dict[str, str]:
    kind = "text/plain" if "[untyped]" in prompt else "text/event-stream; charset=utf-8"
    found = {"Content-Type": kind, "x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "499"}
    if "[gzip]" in prompt:
        found["Content-Encoding"] = "gzip"
    return found | ({"Connection": "close"} if "[close]" in prompt else {"Transfer-Encoding": "chunked"})


def gzip_packer() -> Any:
    """Return a function that packs a piece so that it can be unpacked at once."""
    packer = zlib.compressobj(wbits=31)
    return lambda piece: packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)


def wait(handler: BaseHTTPRequestHandler, seconds: float) -> None:
    """Wait; raise an error as soon as the client has hung up."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if select.select([handler.connection], [], [], min(left, 3600))[0]:
            raise ConnectionAbortedError
