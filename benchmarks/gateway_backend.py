"""A model server that answers at once, for the comparison in gateway.py.

python -m benchmarks.gateway_backend PORT
"""

import asyncio
import contextlib
import json
import sys

PARTS = 50
PART = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "small"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
WHOLE = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "small",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
).encode()


def event(delta: dict[str, str], reason: str | None = None) -> bytes:
    """Return one part of a stream."""
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return f"data: {json.dumps(PART | {'choices': choices})}\n\n".encode()


STREAM = [*[event({"content": "word "})] * PARTS, event({}, "stop"), b"data: [DONE]\n\n"]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection at once."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            body = json.loads(await reader.readexactly(length) or b"{}")
            kind = b"text/event-stream" if body.get("stream") else b"application/json"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n")
            if body.get("stream"):
                writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
                for part in STREAM:
                    writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
            else:
                found = WHOLE if body else b'{"object":"list","data":[{"id":"small"}]}'
                writer.write(b"Content-Length: " + str(len(found)).encode() + b"\r\n\r\n" + found)
            await writer.drain()
    writer.close()


async def serve(port: int) -> None:
    """Serve the fake backend."""
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
