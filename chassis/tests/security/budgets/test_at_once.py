"""However many calls begin at once, in one process or several, they spend no more than their budget."""

import json
import subprocess
import sys

import pytest

from chassis.db import db
from chassis.security import budget_admin, budgets
from chassis.settings import Settings
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.security.budgets.conftest import ADA, KEY, PRICES
from chassis.tests.servers import LEAN, ROOT

PROCESSES, THREADS, COST = 4, 50, 7
ROOM = 60  # of 200 calls
CALLER = f"""
import json, sys, threading
from chassis.db import db
from chassis.errors import BudgetExceeded
from chassis.security import budgets
from chassis.security.budgets import Payer, Usage
from chassis.settings import Settings

settings = Settings(database_url=sys.argv[1], **json.loads(sys.argv[2]))
db.open(settings)
budgets.configure(settings)
passed, refused, start = [], [], threading.Barrier({THREADS} + 1)

def call():
    start.wait()
    try:
        held = budgets.reserve("acme/small", Usage({COST}), lease_seconds=3600, who=Payer({KEY!r}, {ADA!r}))
    except BudgetExceeded:
        return refused.append(1)
    passed.append(held)

threads = [threading.Thread(target=call) for _ in range({THREADS})]
for thread in threads:
    thread.start()
print("told: ready", flush=True)
sys.stdin.readline()
start.wait()
for thread in threads:
    thread.join()
print("told:", json.dumps([len(passed), len(refused)]), flush=True)
sys.stdin.readline()
for number, held in enumerate(passed):
    budgets.charge(held, Usage({COST})) if number % 2 else budgets.release(held)
print("told:", len(passed) // 2, flush=True)
"""


@pytest.mark.server
def test_200_calls_at_once_spend_no_more_than_the_budget(shared_url):
    settings = Settings(database_url=shared_url, **PRICES)
    db.open(settings)
    budgets.configure(settings)
    budget_admin.set_limit(ADA, ROOM * COST + COST - 1)
    budget_admin.set_limit(KEY, 10**6)
    command = [sys.executable, "-c", CALLER, shared_url, json.dumps(PRICES)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    callers = [subprocess.Popen(command, cwd=ROOT, env=LEAN, **pipes) for _ in range(PROCESSES)]
    try:
        for caller in callers:
            assert _told(caller) == "ready"
        told = [json.loads(line) for line in _go(callers)]
        assert sum(passed for passed, _ in told) == ROOM
        assert sum(refused for _, refused in told) == PROCESSES * THREADS - ROOM
        assert {(one.spent, one.reserved) for one in budget_admin.standings(ADA, KEY)} == {(0, ROOM * COST)}
        charged = sum(int(line) for line in _go(callers))
        assert {(one.spent, one.reserved) for one in budget_admin.standings(ADA, KEY)} == {(charged * COST, 0)}
        for caller in callers:
            assert caller.wait(LIMIT_SECONDS) == 0
    finally:
        for caller in callers:
            caller.kill()
            caller.communicate()
        db.close()


def _go(callers):
    """Let all callers go on, and return what each of them then tells."""
    for caller in callers:
        caller.stdin.write("\n")
        caller.stdin.flush()
    return [_told(caller) for caller in callers]


def _told(caller):
    """Return what a caller tells, between the lines of its log."""
    line = next(line for line in caller.stdout if line.startswith("told: "))
    return line.removeprefix("told: ").strip()
