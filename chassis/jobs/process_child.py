"""A process of `Processes`: `python -I process_child.py DESCRIPTOR FOLDER MODULE:FUNCTION ARGUMENTS...`.

It imports nothing of the application. It ends when the process that started it does, also in the middle of an order:
by the end of its input, or by a signal (lifeline.py), which also comes to C code that never lets Python run.
"""

import json
import os
import queue
import socket
import sys
import threading
import traceback
from importlib import import_module
from typing import Any

NICENESS = 10  # the event loops go first


def main() -> None:
    """Answer orders, each a line of JSON, until the other side is gone."""
    descriptor, folder, target, *arguments = sys.argv[1:]
    line = socket.socket(fileno=int(descriptor))
    line.setblocking(True)
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(line, orders), daemon=True).start()
    os.nice(NICENESS)
    sys.path.insert(0, folder)
    module, _, name = target.partition(":")
    work = getattr(import_module(module), name)(*arguments)
    _send(line, {"ready": True})
    while True:
        _send(line, _answer(work, json.loads(orders.get())))


def _answer(work: Any, order: Any) -> dict[str, Any]:
    try:
        return {"answer": work(order)}
    except Exception as error:  # of whatever was called
        traceback.print_exc()
        return {"error": type(error).__name__}


def _listen(line: socket.socket, orders: "queue.SimpleQueue[str]") -> None:
    for order in line.makefile(encoding="utf-8"):
        orders.put(order)
    os._exit(0)


def _send(line: socket.socket, message: dict[str, Any]) -> None:
    line.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
