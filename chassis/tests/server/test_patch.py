"""What patched code may rely on, whatever the version of Python."""

import subprocess
import sys

from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.server.changed import change

JOIN = f"""
from chassis.server.patches.for_eventlet import patch_standard_library
patch_standard_library()
import threading, time
ended = threading.Event()
thread = threading.Thread(target=ended.wait, daemon=True)
thread.start()
thread.join(0.05)
assert thread.is_alive(), "a join's timeout returns"
ended.set()
thread.join({LIMIT_SECONDS})
assert not thread.is_alive()
thread.join()
print("joined")
"""


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    command, options = [sys.executable, "-c", code], {"cwd": ROOT, "capture_output": True, "text": True}
    return subprocess.run(command, env=CLEAN | env, **options, timeout=LIMIT_SECONDS)


def test_a_join_with_a_timeout_returns_as_without_patches():
    ran = run(JOIN)
    assert ran.stdout == "joined\n", ran.stderr


NAMES_OF_HOSTS = """
import _thread, socket
asked, answer = [], _thread.allocate_lock()
answer.acquire()
def slow_resolver(host, port=None, *rest, _resolver=socket.getaddrinfo, **options):
    if host == "slow.example":
        asked.append(host)
        answer.acquire()
        host = "127.0.0.1"
    return _resolver(host, port, *rest, **options)
socket.getaddrinfo = slow_resolver
from chassis.server.patches.for_eventlet import patch_standard_library
patch_standard_library()
import eventlet, sys
found = []
waiting = eventlet.spawn(lambda: found.extend(socket.getaddrinfo("slow.example", 80)))
while not asked:
    eventlet.sleep(0)
assert not found, "the hub runs while the resolver waits"
assert socket.getaddrinfo("127.0.0.1", 80)[0][4] == ("127.0.0.1", 80), "an address is no name"
answer.release()
waiting.wait()
assert found[0][4] == ("127.0.0.1", 80)
try:
    socket.getaddrinfo("no such name", 80)
except socket.gaierror:
    print("eventlet's own resolver is", "loaded" if "dns" in sys.modules else "not loaded")
"""


def test_a_name_is_looked_up_by_the_system_and_holds_up_nobody():
    ran = run(NAMES_OF_HOSTS)
    assert ran.stdout == "eventlet's own resolver is not loaded\n", ran.stderr


RESOLVER = """
from chassis.server.patches.for_eventlet import patch_standard_library
patch_standard_library()
import sys
print("dns" in sys.modules)
"""


def test_the_resolver_of_eventlet_can_be_had_again():
    assert [run(RESOLVER).stdout, run(RESOLVER, EVENTLET_NO_GREENDNS="no").stdout] == ["False\n", "True\n"]


def test_an_eventlet_that_changed_has_its_own_resolver_and_join(tmp_path):
    names = {"_green_existing_locks": "_green_locks", "_ThreadHandle": "_Handle", "    'getaddrinfo',\n": ""}
    ran = run(RESOLVER, **change(tmp_path, "eventlet", names))
    assert ran.stdout == "True\n", ran.stderr
    for part in ("socket.getaddrinfo", "_green_existing_locks", "_ThreadHandle"):
        assert part in ran.stderr
