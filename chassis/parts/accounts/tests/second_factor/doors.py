"""A browser that has shown a password and nothing else, and what the audit log tells."""

from chassis.security import audit


def at_the_door(people, **options):
    """Return a browser in which Ada has shown her password and nothing else."""
    browser = people.browser(**options)
    assert browser.sign_in().status_code in (303, 429)
    return browser


def audited():
    return [(line["action"], line["actor"], line["result"]) for line in audit.listing()]
