"""What the check of a key costs tells nothing about the key, and wrong keys cost others nothing."""

import pytest

from benchmarks import keys as benchmark
from chassis.db import db
from chassis.security import keyring
from chassis.security.identity import Credentials
from chassis.security.keyring import Keyring

MOST_TIMES = 3  # a look that compared keys letter by letter, or asked the database, would be far above


@pytest.fixture
def made(tmp_path):
    yield benchmark.prepare(str(tmp_path))
    db.close()


def test_every_wrong_key_costs_the_same(made):
    costs = benchmark.wrong_costs(Keyring(), made, rounds=30)
    assert benchmark.times(costs) < MOST_TIMES, costs


def test_a_flood_of_wrong_keys_slows_no_right_one(made):
    alone, flooded = benchmark.flood_costs(Keyring(), made, rounds=10)
    assert flooded < MOST_TIMES * alone


def test_wrong_keys_cause_no_reads_of_the_database(made, monkeypatch):
    ring, reads, real = Keyring(), [], db.read
    monkeypatch.setattr(db, "read", lambda function, **options: reads.append(function) or real(function, **options))
    monkeypatch.setattr(keyring, "LOOK_AGAIN_SECONDS", 3_600)
    assert benchmark.is_good(ring, Credentials(made[-1]))
    assert len(reads) == 2, "the version and the keys"
    for source in benchmark.wrong_keys(made).values():
        for _ in range(300):
            assert not benchmark.is_good(ring, Credentials(source()))
    assert len(reads) == 2
    monkeypatch.setattr(keyring, "LOOK_AGAIN_SECONDS", 0)
    assert not benchmark.is_good(ring, Credentials("wrong"))
    assert len(reads) == 3, "the version alone, as nothing has changed"
