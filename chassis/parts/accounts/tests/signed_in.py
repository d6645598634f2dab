"""Browsers that are signed in."""


def signed_in(people, number=1, **options):
    """Return so many browsers in which Ada is signed in."""
    browsers = [people.browser(**options) for _ in range(number)]
    for browser in browsers:
        browser.sign_in()
    return browsers
