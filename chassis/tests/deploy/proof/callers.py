"""Requests that the log names one by one, until standard input ends; prints how many there were."""

import sys

from chassis.tests.deploy.test_logrotate import Callers


def main() -> None:
    """Ask, and count."""
    callers = Callers(int(sys.argv[1]))
    callers.go_on()
    print("here", flush=True)
    sys.stdin.read()
    callers.go_on()
    callers.stop()
    print(callers.asked)


if __name__ == "__main__":
    main()
