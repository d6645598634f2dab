"""Secrets of authenticator apps are sealed, and outlive a new secret key."""

import pytest
from werkzeug.security import gen_salt

from chassis.db import db
from chassis.parts.accounts.factor_tables import factors as table
from chassis.parts.accounts.tests.devices import set_up, show
from chassis.parts.accounts.tests.second_factor.doors import at_the_door
from chassis.security import sealing


def test_the_secret_is_sealed_and_outlives_a_new_secret_key(make, clock):
    first, second = (gen_salt(40) for _ in range(2))
    people = make(secret_key=first)
    ada = people.browser()
    ada.sign_in()
    device, _codes = set_up(ada, clock)
    kept = db.read(lambda conn: conn.execute(table.select()).one().secret)
    assert device.totp.byte_secret().hex() not in kept
    for config, opens in (({"SECRET_KEY_FALLBACKS": [first]}, True), ({}, True), ({"SECRET_KEY": gen_salt(40)}, False)):
        people.app.config.update({"SECRET_KEY": second, "SECRET_KEY_FALLBACKS": [], **config})
        answer = show(at_the_door(people), code=device.next())
        assert answer.status_code == (303 if opens else 409), config  # and the first use seals it by the new key
    assert "SECRET_KEY has changed" in answer.text


def test_all_secrets_are_sealed_again_by_a_command(make, clock):
    first, second = (gen_salt(40) for _ in range(2))
    people = make(secret_key=first)
    ada = people.browser()
    ada.sign_in()
    device, _codes = set_up(ada, clock)
    people.app.config.update(SECRET_KEY=second, SECRET_KEY_FALLBACKS=[first])
    assert "1 secrets" in people.run("reseal").output
    assert "0 secrets" in people.run("reseal").output
    people.app.config["SECRET_KEY_FALLBACKS"] = []
    assert show(at_the_door(people), code=device.next()).status_code == 303


def test_what_is_sealed_says_nothing_and_cannot_be_changed(people):
    with people.app.app_context():
        people.app.config["SECRET_KEY"] = gen_salt(40)
        one, other = (sealing.seal(b"the same secret", "totp") for _ in range(2))
        assert one != other
        assert sealing.unseal(one, "totp") == (b"the same secret", False)
        swapped = one[:40] + ("0" if one[40] != "0" else "1") + one[41:]
        for wrong in (swapped, one[:-2], "", "1.", "2" + one[1:], "1.zz"):
            with pytest.raises(sealing.Conflict):
                sealing.unseal(wrong, "totp")
        with pytest.raises(sealing.Conflict):
            sealing.unseal(one, "another purpose")
        for length in (0, 31, 32, 33, 100, sealing.MAX_BYTES):
            assert sealing.unseal(sealing.seal(b"x" * length, "long"), "long") == (b"x" * length, False)
        blocks = bytes.fromhex(sealing.seal(bytes(64), "zeros")[2:])[sealing.NONCE_BYTES :]
        assert blocks[:32] != blocks[32:64]
        with pytest.raises(ValueError, match="4096 bytes"):
            sealing.seal(b"x" * 4097, "totp")
