"""What systemd knows of the service on a machine."""

import time

from chassis.tests.named import SLUG

UNIT = SLUG


def shown(machine, name: str) -> str:
    """Return a property of the unit."""
    return machine.run(f"systemctl show --property {name} --value {UNIT}").strip()


def main_pid(machine) -> str:
    return shown(machine, "MainPID")


def worker_pid(machine) -> str:
    master = main_pid(machine)
    return machine.run(f"cat /proc/{master}/task/{master}/children", check=False).strip()


def wait_ready(machine, other_than: str = "") -> float:
    """Wait until /readyz answers, by another master where one is named; return how long it took."""
    began = time.monotonic()
    machine.wait(lambda: main_pid(machine) not in ("0", other_than) and machine.request("/readyz")[0] == 200, 60)
    return time.monotonic() - began
