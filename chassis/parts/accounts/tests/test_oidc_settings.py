"""Settings for the provider that are wrong or half there: told by name, with the status 78."""

import os
import subprocess
import sys

import pytest

from chassis.parts.accounts.settings import OidcSettings
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT

GOOD = {"oidc_issuer": "https://id.example.org", "oidc_client_id": "id", "oidc_client_secret": "secret"}
ROLES = {"oidc_role_claim": "groups", "oidc_admin_values": "admins"}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, []),
        (GOOD, []),
        ({**GOOD, **ROLES}, []),
        ({**GOOD, "oidc_issuer": "http://localhost:9400"}, []),
        ({**GOOD, "oidc_issuer": "http://id.example.org"}, ["OIDC_ISSUER"]),
        ({"oidc_issuer": GOOD["oidc_issuer"]}, ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"]),
        ({**GOOD, "oidc_issuer": ""}, ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"]),
        ({**GOOD, "oidc_scopes": "email"}, ["OIDC_SCOPES"]),
        ({**GOOD, "oidc_role_claim": "groups"}, ["OIDC_ADMIN_VALUES"]),
        ({**GOOD, "oidc_user_values": "staff"}, ["OIDC_ROLE_CLAIM"]),
        ({"password_sign_in": False}, ["PASSWORD_SIGN_IN"]),
        ({**GOOD, "password_sign_in": False}, []),
    ],
)
def test_what_is_half_there_is_told_by_name(values, names):
    assert [name for name, _ in OidcSettings(**values).problems()] == names


def test_the_provider_needs_the_public_url():
    told = [OidcSettings(**GOOD).problems_with(Settings(public_url=url)) for url in ("", "https://app.example.org")]
    assert [[name for name, _ in problems] for problems in told] == [["PUBLIC_URL"], []]


def test_the_extra_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr("chassis.settings.packages.installed", lambda package: package != "authlib")
    assert "needs the package authlib" in dict(OidcSettings(**GOOD).problems())["OIDC_ISSUER"]


def test_doctor_says_it_with_the_status_78(tmp_path):
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db", "PATH": os.environ["PATH"]}
    env |= {"OIDC_ISSUER": "https://id.example.org", "OIDC_CLIENT_ID": "id"}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "doctor"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 78
    for name in ("OIDC_CLIENT_SECRET is missing", "PUBLIC_URL is missing"):
        assert name in done.stderr
