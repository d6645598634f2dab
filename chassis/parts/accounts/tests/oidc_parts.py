"""A provider in a process of its own, and the steps of a sign-in by it."""

import contextlib
import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import requests

from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import CLEAN, free_port

PUBLIC = "http://localhost"
START = "/sign-in/oidc?next=/account"


class Provider:
    """What a test tells and asks the provider."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def lie(self, how="", **more):
        requests.put(f"{self.url}/lie", json={"how": how, "more": more}, timeout=LIMIT_SECONDS).raise_for_status()

    def asked(self):
        return requests.get(f"{self.url}/asked", timeout=LIMIT_SECONDS).json()

    def has(self, subject, **claims):
        sent = requests.put(f"{self.url}/users/{subject}", json=claims, timeout=LIMIT_SECONDS)
        sent.raise_for_status()

    def approve(self, url, subject):
        """Sign in there, and return where the browser is sent back to."""
        answer = requests.post(url, data={"sub": subject}, allow_redirects=False, timeout=LIMIT_SECONDS)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def settings(self, **more):
        own = {"oidc_issuer": self.url, "oidc_client_id": "client", "oidc_client_secret": "secret of the client"}
        return {**own, "oidc_name": "Example ID", **more}


@contextlib.contextmanager
def provider_process():
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("oidc_provider.py")), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=CLEAN)
    try:
        wait_until(lambda: _answers(port) or process.poll() is not None, "the provider did not start")
        assert process.poll() is None
        yield Provider(port)
    finally:
        process.kill()
        process.wait()


def _answers(port):
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/asked", timeout=5) as answer:
        return json.load(answer) == {}
    return False


def path_of(url):
    """Return the path and query of a URL."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def back_from(provider, browser, subject, start=START):
    """Go to the provider and sign in there; return the path that the provider sends the browser back to."""
    sent = browser.get(start)
    assert sent.status_code == 302, sent.text
    back = provider.approve(sent.headers["Location"], subject)
    assert back.startswith(f"{PUBLIC}/sign-in/oidc/callback?")
    return path_of(back)


def sign_in(provider, browser, subject, start=START):
    """Return the answer to the browser that comes back."""
    return browser.get(back_from(provider, browser, subject, start))


def told(answer):
    """Return the sentence that a page tells as an error."""
    found = re.search(r'role="alert">([^<]*)<', answer.text)
    return found[1] if found else ""
