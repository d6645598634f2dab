"""What people hold in their hands: an authenticator app, and the codes on their paper."""

import re
import time

import pyotp

SECOND, FACTORS = "/second-factor", "/account/factors"


class Clock:
    """A clock that goes on by whole steps of a code, so that no test waits for the next one."""

    def __init__(self):
        self.ahead = 0

    def now(self):
        return time.time() + self.ahead


class Device:
    """An authenticator app, with a code that was not shown before."""

    def __init__(self, secret, clock):
        self.totp, self.clock = pyotp.TOTP(secret), clock

    def at(self, seconds):
        return self.totp.at(self.clock.now() + seconds)

    def next(self):
        self.clock.ahead += 30
        return self.at(0)


def set_up(browser, clock, **fields):
    """Set an authenticator app up as a person does; return it, and the recovery codes that are shown."""
    page = f"{FACTORS}/authenticator"
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', browser.get(page).text)[1].replace(" ", "")
    device = Device(secret, clock)
    shown = browser.send(page, code=device.next(), **fields)
    assert shown.status_code == 200, shown.text
    return device, re.findall(r"<code>([a-z2-7-]{19})</code>", shown.text)


def show(browser, **fields):
    """Send the form of the second step: `code=...` or `recovery=...`."""
    return browser.act(SECOND, SECOND, **{f"proof_{name}": value for name, value in fields.items()})
