"""security.txt, as RFC 9116 has it."""

from datetime import UTC, datetime, timedelta

from chassis.wiring import wiring_of


def test_without_a_contact_there_is_no_security_txt(small):
    assert small.client.get("/.well-known/security.txt").status_code == 404


def test_security_txt_says_whom_to_tell_and_until_when_it_holds(small):
    contacts = ("security@example.org", "https://example.org/report")
    wiring = wiring_of(small.app)
    wiring.settings = wiring.settings.model_copy(update={"security_contact": contacts})
    answer = small.client.get("/.well-known/security.txt")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    fields = [line.split(": ", 1) for line in answer.text.splitlines()]
    contacts = [value for name, value in fields if name == "Contact"]
    assert contacts == ["mailto:security@example.org", "https://example.org/report"]
    expires = datetime.fromisoformat(dict(fields)["Expires"])
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)
