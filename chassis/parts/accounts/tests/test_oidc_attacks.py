"""Tokens that prove nothing, states that come twice, and a provider that is dead, slow, or talks without end."""

import threading

import pytest

from chassis.parts.accounts import lockout
from chassis.parts.accounts.oidc import flow, wire
from chassis.parts.accounts.oidc import provider as provider_module
from chassis.parts.accounts.oidc.provider import Known
from chassis.parts.accounts.tests.conftest import ADA
from chassis.parts.accounts.tests.oidc_parts import START, back_from, sign_in, told

METADATA, TOKEN, JWKS = "/.well-known/openid-configuration", "/oauth2/token", "/jwks"
INVALID = "The sign-in service&#39;s answer is not valid. Start again."
LIES = [
    "nonce",
    "no nonce",
    "audience",
    "audiences",
    "presenter",
    "issuer",
    "expired",
    "no expiry",
    "future",
    "no subject",
    "long subject",
    "number",
    "access token",
    "none",
    "public key as secret",
    "foreign key",
    "unknown key",
    "own words",
    "no token",
]


@pytest.fixture
def people(join, provider):
    provider.has("ada", email=ADA, email_verified=True)
    return join()


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_is_not_right_opens_nothing(people, provider, lie):
    ada = people.browser()
    back = back_from(provider, ada, "ada")
    provider.lie(lie)
    refused = ada.get(back)
    assert (refused.status_code, told(refused)) == (401, INVALID)
    assert not ada.is_in()
    provider.lie()
    assert sign_in(provider, ada, "ada").status_code == 303


def test_the_lies_are_told_by_a_provider_that_is_believed_otherwise(people, provider):
    provider.lie("claims", email_verified=True)
    assert sign_in(provider, people.browser(), "ada").status_code == 303


def test_a_state_opens_once_also_for_who_copied_the_cookie(people, provider):
    ada, thief = people.browser(), people.browser()
    back = back_from(provider, ada, "ada")
    thief.client.set_cookie(flow.COOKIE, ada.cookie(flow.COOKIE))
    assert ada.get(back).status_code == 303
    asked = provider.asked()[TOKEN]
    assert ada.cookie(flow.COOKIE) is None
    for browser in (ada, thief):
        assert browser.get(back).status_code == 401
    assert not thief.is_in()
    assert provider.asked()[TOKEN] == asked, "the provider is not asked about it"


def test_nobody_is_signed_in_by_a_link_of_somebody_else(people, provider):
    """Login CSRF: the state belongs to the browser that began."""
    attacker, ada = people.browser(), people.browser()
    back = back_from(provider, attacker, "ada")
    assert ada.get(back).status_code == 401
    ada.get(START)
    assert ada.get(back).status_code == 401
    assert not ada.is_in()


@pytest.mark.parametrize("state", ["", "x", "\u00e9" * 10, "x" * 3_000])
def test_a_state_that_nobody_gave_is_refused(people, provider, state):
    ada = people.browser()
    ada.get(START)
    assert ada.get(f"/sign-in/oidc/callback?state={state}&code=x").status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "e30.aaaa.bbbb", "\u00e9"])
def test_a_cookie_that_is_not_signed_is_refused(people, cookie):
    ada = people.browser()
    ada.client.set_cookie(flow.COOKIE, cookie)
    assert ada.get("/sign-in/oidc/callback?state=x&code=x").status_code == 401


def test_a_sign_in_that_was_begun_too_long_ago_is_over(people, provider, monkeypatch):
    ada = people.browser()
    back = back_from(provider, ada, "ada")
    monkeypatch.setattr(flow, "SECONDS", -1)
    assert ada.get(back).status_code == 401


def test_a_code_is_of_no_use_without_the_verifier(people, provider):
    """PKCE: whoever intercepts the code of another browser cannot redeem it here."""
    ada, thief = people.browser(), people.browser()
    stolen = back_from(provider, ada, "ada").partition("code=")[2].partition("&")[0]
    own = back_from(provider, thief, "ada")
    state = own.partition("state=")[2].partition("&")[0]
    refused = thief.get(f"/sign-in/oidc/callback?code={stolen}&state={state}")
    assert (refused.status_code, "did not confirm" in told(refused)) == (401, True)
    assert not thief.is_in()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("error=access_denied", "You did not allow the sign-in."),
        ("error=<script>&error_description=<b>x", "The sign-in service refused."),
        ("code=x&iss=https://evil.example", "from a different sign-in service"),
        ("code=", "sent no code"),
        (f"code={'x' * 5_000}", "sent no code"),
    ],
)
def test_what_the_provider_refuses_is_a_sentence_on_the_page(people, query, sentence):
    ada = people.browser()
    state = ada.get(START).headers["Location"].partition("state=")[2].partition("&")[0]
    refused = ada.get(f"/sign-in/oidc/callback?{query}&state={state}")
    assert refused.status_code in (400, 401)
    assert sentence in told(refused)
    assert "Sign in with Example ID" in refused.text
    assert "<script>&" not in refused.text
    assert ' action="/sign-in"' in refused.text, "and a password can be typed there"
    assert "next=/sign-in/" not in refused.text


@pytest.mark.parametrize("how", ["broken", "text", "list", "redirect", "flood"])
@pytest.mark.parametrize("path", [METADATA, JWKS, TOKEN])
def test_a_provider_that_answers_nonsense_is_told_on_the_page(people, provider, how, path):
    ada = people.browser()
    back = back_from(provider, ada, "ada") if path == TOKEN else START
    provider.lie(f"{how} at {path}")
    answer = ada.get(back)
    assert answer.status_code == (401 if (how, path) == ("redirect", TOKEN) else 503)
    assert told(answer).startswith("The sign-in service")
    assert answer.status_code == 401 or int(answer.headers["Retry-After"]) > 0
    assert not ada.is_in()


@pytest.mark.parametrize("how", ["hang", "drip"])
@pytest.mark.parametrize("path", [METADATA, JWKS, TOKEN])
def test_a_provider_that_hangs_is_given_up(people, provider, monkeypatch, how, path):
    ada = people.browser()
    back = back_from(provider, ada, "ada") if path == TOKEN else START
    monkeypatch.setattr(wire, "SECONDS", 0.5)
    provider.lie(f"{how} at {path}")
    answer = ada.get(back)
    assert (answer.status_code, "is not working" in told(answer)) == (503, True)


def test_a_provider_that_is_not_there_is_asked_once_in_a_while(make, provider):
    people = make(oidc=provider.settings(oidc_issuer="http://127.0.0.1:9"), public_url="http://localhost")
    for _ in range(2):
        assert people.browser().get(START).status_code == 503
    assert people.browser().get("/sign-in").status_code == 200


def test_many_who_wait_for_a_provider_that_hangs_ask_it_once(people, provider, monkeypatch):
    monkeypatch.setattr(wire, "SECONDS", 0.5)
    provider.lie(f"hang at {METADATA}")
    before = provider.asked().get(METADATA, 0)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(people.browser().get(START).status_code)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [503] * 6
    assert provider.asked()[METADATA] == before + 1


def test_a_provider_that_fails_later_is_still_known_for_a_day(provider):
    now = [1_000.0]
    known = Known(provider.url, clock=lambda: now[0])
    first = known.current()
    provider.lie(f"broken at {METADATA}")
    now[0] += provider_module.KEEP_SECONDS + 1
    assert known.current() is first
    now[0] += provider_module.LONGEST_SECONDS
    with pytest.raises(wire.ProviderUnavailable):
        known.current()
    provider.lie()
    now[0] += provider_module.ASK_AGAIN_SECONDS + 1
    assert known.current() is not first


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "ftp://x"},
        {"token_endpoint": 7},
        {"jwks_uri": "http://["},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
)
def test_a_description_that_leads_elsewhere_is_not_believed(people, provider, said):
    provider.lie("", **said)
    assert people.browser().get(START).status_code == 503


def test_failures_of_an_address_are_counted_and_successes_are_not(people, provider, monkeypatch):
    monkeypatch.setattr(lockout, "FREE_OF_ADDRESS", 3)
    for _ in range(5):
        assert sign_in(provider, people.browser(), "ada").status_code == 303
    answers = []
    for _ in range(4):
        ada = people.browser()
        back = back_from(provider, ada, "ada")
        provider.lie("nonce")
        answers.append(ada.get(back).status_code)
        provider.lie()
    assert answers == [401, 401, 401, 429]


def test_nothing_of_the_sign_in_is_in_the_log(people, provider, capsys):
    ada = people.browser()
    back = back_from(provider, ada, "ada")
    ada.get(back)
    output = "".join(capsys.readouterr())
    for name in ("code=", "state="):
        value = back.partition(name)[2].partition("&")[0]
        assert len(value) > 8
        assert value not in output
    assert "secret of the client" not in output
