"""The forms in which the fake outside API streams an answer; a form is a function that yields what is sent.

A number among it is a pause in seconds, and HOLD waits until the client hangs up.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

HOLD = float("inf")
PAUSE_SECONDS = 0.02
DONE = b"data: [DONE]\n\n"
IN_BRACKETS = re.compile(r"\[([a-z][a-z0-9-]*)\]")
Pieces = Iterator[bytes | float]


class Asked:
    """A request for a stream."""

    def __init__(self, body: dict[str, Any], attempt: int) -> None:
        self.model, self.attempt = body.get("model", ""), attempt
        prompt = body["messages"][-1]["content"]
        self.words = re.findall(r"\s*\S+", f"echo: {prompt}")
        self.usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(self.words)}
        self.tells_usage = body.get("stream_options", {}).get("include_usage", False)
        names = IN_BRACKETS.findall(prompt)
        self.form = next((name for name in names if name in FORMS), "plain")

    def chunk(self, text: Any = None, *, finish: str | None = None, **more: Any) -> bytes:
        """Return a chunk with a piece of text."""
        delta = {} if text is None else {"content": text}
        return self.choice({"index": 0, "delta": delta, "finish_reason": finish, **more})

    def choice(self, choice: dict[str, Any], **more: Any) -> bytes:
        return json.dumps({"id": "x", "model": self.model, "choices": [choice], **more}).encode()

    def chunks(self) -> Iterator[bytes]:
        """Return the words, the reason of the end, and the usage if it was asked for."""
        yield self.choice({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None})
        for word in self.words:
            yield self.chunk(word)
        yield self.chunk(finish="stop")
        if self.tells_usage:
            yield json.dumps({"id": "x", "model": self.model, "choices": [], "usage": self.usage}).encode()


def event(data: bytes, end: bytes = b"\n") -> bytes:
    return b"".join(b"data: " + line + end for line in data.split(b"\n")) + end


def plain(asked: Asked) -> Pieces:
    for chunk in asked.chunks():
        yield event(chunk)
    yield DONE


def comments(asked: Asked) -> Pieces:
    yield b": PROCESSING\n\n" * 3
    for chunk in asked.chunks():
        yield b":\n" + event(chunk) + b": keep-alive\n\n"
    yield DONE


def crlf(asked: Asked) -> Pieces:
    """Also cut between CR and LF."""
    for chunk in asked.chunks():
        sent = event(chunk, b"\r\n")
        yield sent[:-1]
        yield PAUSE_SECONDS
        yield sent[-1:]
    yield b"data: [DONE]\r\n\r\n"


def cr(asked: Asked) -> Pieces:
    for chunk in asked.chunks():
        yield event(chunk, b"\r")
    yield b"data: [DONE]\r\r"


def empty_data(asked: Asked) -> Pieces:
    for chunk in asked.chunks():
        yield b"data:\n\ndata: \n\nid: 7\nretry: 10\nevent: ping\n\n\n" + event(chunk)
    yield DONE


def lines(asked: Asked) -> Pieces:
    """Each object is spread over several lines of data, and starts after a byte order mark."""
    yield b"\xef\xbb\xbf"
    for chunk in asked.chunks():
        yield event(json.dumps(json.loads(chunk), indent=1).encode())
    yield DONE


def usage_in_each(asked: Asked) -> Pieces:
    for number, word in enumerate(asked.words):
        used = {"prompt_tokens": asked.usage["prompt_tokens"], "completion_tokens": number + 1}
        yield event(asked.choice({"index": 0, "delta": {"content": word}}, usage=used))
    yield event(asked.chunk(finish="stop")) + DONE


def error_in_the_middle(asked: Asked) -> Pieces:
    yield event(asked.chunk("half "))
    yield event(json.dumps({"error": {"code": 429, "message": "slow <b>down</b>"}, "choices": []}).encode())


def error_event(asked: Asked) -> Pieces:
    yield event(asked.chunk("half "))
    yield b'event: error\ndata: {"message": "overloaded"}\n\n'


def error_in_the_choice(asked: Asked) -> Pieces:
    yield event(asked.chunk("half "))
    yield event(asked.chunk("", finish="error", error={"code": 502, "message": "the provider is gone"})) + DONE


def error_first(asked: Asked) -> Pieces:
    if asked.attempt == 1:
        yield event(json.dumps({"error": {"code": 503, "message": "not now"}}).encode())
        return
    yield from plain(asked)


def break_off(asked: Asked) -> Pieces:
    yield event(asked.chunk("half "))


def break_in_an_event(asked: Asked) -> Pieces:
    yield event(asked.chunk("half ")) + event(asked.chunk("lost"))[:-1]


def break_first(asked: Asked) -> Pieces:
    if asked.attempt > 1:
        yield from plain(asked)
    else:
        yield event(asked.choice({"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}))


def no_done(asked: Asked) -> Pieces:
    """As some servers end: with a reason, but without the mark."""
    for chunk in asked.chunks():
        yield event(chunk)


def no_reason(asked: Asked) -> Pieces:
    yield event(asked.chunk("whole")) + DONE


def split(asked: Asked) -> Pieces:
    """Byte by byte, so that no character of more than one byte arrives whole."""
    sent = json.dumps({"choices": [{"delta": {"content": "細菌 🦠"}}]}, ensure_ascii=False).encode()
    for byte in event(sent) + event(asked.chunk(finish="stop")) + DONE:
        yield bytes([byte])


def invalid(asked: Asked) -> Pieces:
    yield b'data: {"choices": [{"delta": {"content": "bad \xff\xc3 end"}}]}\n\n'
    yield event(asked.chunk(finish="stop")) + DONE


def halves(asked: Asked) -> Pieces:
    """A character as two escapes in two chunks, then half of one, and a null character."""
    for text in (r"a\ud83e", r"\udda0b", r"\ud83e", r"c\u0000"):
        yield b'data: {"choices": [{"delta": {"content": "' + text.encode() + b'"}}]}\n\n'
    yield event(asked.chunk(finish="stop")) + DONE


def large_event(asked: Asked) -> Pieces:
    yield event(asked.chunk("first "))
    yield b"data: "
    for _ in range(300):
        yield b"x" * 10_000


def long(asked: Asked) -> Pieces:
    for _ in range(300):
        yield event(asked.chunk("x" * 10_000))
    yield event(asked.chunk(finish="stop")) + DONE


def many_comments(asked: Asked) -> Pieces:
    """60 MB, of which a packed stream sends little."""
    for _ in range(60):
        yield (b":" + b"x" * 998 + b"\n") * 1_000


def listed(asked: Asked) -> Pieces:
    parts = [{"type": "text", "text": "one "}, {"type": "image", "text": "no"}, {"type": "output_text", "text": "two"}]
    yield event(asked.chunk(parts)) + event(asked.chunk(finish="stop")) + DONE


def refusal(asked: Asked) -> Pieces:
    for said in ("I will ", "not do that"):
        yield event(asked.choice({"index": 0, "delta": {"refusal": said}}))
    yield event(asked.chunk(finish="stop")) + DONE


def second_choice(asked: Asked) -> Pieces:
    for number in (1, 0):
        yield event(asked.choice({"index": number, "delta": {"content": f"choice {number}"}}))
    yield event(asked.chunk(finish="stop")) + DONE


def length(asked: Asked) -> Pieces:
    yield event(asked.chunk("half ")) + event(asked.chunk(finish="length"))
    yield event(json.dumps({"choices": [], "usage": asked.usage}).encode()) + DONE


def content_filter(asked: Asked) -> Pieces:
    yield event(asked.chunk("half ")) + event(asked.chunk(finish="content_filter")) + DONE


def not_json(asked: Asked) -> Pieces:
    yield event(asked.chunk("half ")) + b"data: {not JSON}\n\n"


def no_text(asked: Asked) -> Pieces:
    yield event(asked.chunk(finish="stop")) + DONE


def quiet(asked: Asked) -> Pieces:
    """Only comments."""
    while True:
        yield b": still here\n\n"
        yield PAUSE_SECONDS


def pause(asked: Asked) -> Pieces:
    yield event(asked.chunk("half "))
    yield HOLD


def forever(asked: Asked) -> Pieces:
    while True:
        yield event(asked.chunk("more "))
        yield PAUSE_SECONDS


def late_end(asked: Asked) -> Pieces:
    """The connection stays open after the end mark."""
    yield from plain(asked)
    yield HOLD


FORMS = {
    name.replace("_", "-"): form
    for name, form in list(globals().items())
    if getattr(form, "__annotations__", {}).get("return") is Pieces
}
