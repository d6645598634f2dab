"""python-socketio on ASGI: `uvicorn asgi:app`."""

import json

import socketio

NEWS = "n" * 64
HEADERS = [(b"content-type", b"application/json")]
server = socketio.AsyncServer(async_mode="asgi")


@server.on("echo")
async def echo(sid, data):
    await server.emit("echo", data, to=sid)


@server.on("fanout")
async def fanout(sid, count):
    for _ in range(count):
        await server.emit("news", NEWS)


async def web(scope, receive, send):
    """Answer every request that does not belong to Socket.IO, without a framework."""
    body = json.dumps({"status": "ok", "items": [1, 2, 3]}).encode()
    headers = [*HEADERS, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = socketio.ASGIApp(server, web)
