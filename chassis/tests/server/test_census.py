"""Sessions are counted by address, and those that are in no namespace apart."""

import pytest

from chassis.security.proxies import limited_as
from chassis.server.caps import Buffer, Caps
from chassis.server.census import Census

NEAR, FAR = "192.0.2.1", "192.0.2.2"


def counted_as(environ):
    return None if "key" in environ else limited_as(environ["REMOTE_ADDR"])


class Counted:
    """A census with what it asked for."""

    def __init__(self, connections=0, of_address=0, unjoined=0, seconds=0.0):
        limits = Caps(Buffer(0, 0), 0, 0, connections, of_address, unjoined, seconds, 0, 0, counted_as)
        self.begun, self.ended = [], []
        self.census = Census(limits, self.begun.append, self.end)

    def end(self, sid):
        self.ended.append(sid)
        self.census.gone(sid)

    def come(self, sid, address=NEAR, **environ):
        environ["REMOTE_ADDR"] = address
        refused = self.census.refusal(environ)
        if not refused:
            self.census.enter(sid, environ)
        return refused


def test_an_address_has_few_sessions_that_joined_nothing():
    counted = Counted(unjoined=2)
    assert [counted.come(sid) for sid in "abc"] == ["", "", "too_many_unjoined_of_address"]
    assert counted.come("d", FAR) == ""
    counted.census.joined("a")
    assert counted.come("e") == ""
    counted.census.gone("b")
    assert counted.come("f") == ""
    assert counted.come("g") == "too_many_unjoined_of_address"


def test_an_address_has_a_limit_of_all_its_sessions():
    counted = Counted(of_address=2)
    for sid in "ab":
        assert counted.come(sid) == ""
        counted.census.joined(sid)
    assert counted.come("c") == "too_many_connections_of_address"
    assert counted.come("d", FAR) == ""
    counted.census.gone("a")
    assert counted.come("e") == ""


def test_sessions_without_limits_are_of_no_address_but_take_a_place_in_the_process():
    counted = Counted(connections=5, of_address=2, unjoined=1)
    assert [counted.come(f"load {n}", key="good") for n in range(3)] == [""] * 3
    assert [counted.come(sid) for sid in "ab"] == ["", "too_many_unjoined_of_address"]
    for sid in ("load 0", "load 1", "load 2", "a"):
        counted.census.joined(sid)
    assert [counted.come(sid) for sid in "bc"] == ["", "too_many_connections_of_address"]
    counted.census.joined("b")
    assert counted.come("load 3", key="good") == "too_many_connections"
    counted.census.left("load 0")
    counted.census.gone("load 0")
    assert counted.come("load 3", key="good") == ""
    assert len(counted.census) == 5


@pytest.mark.parametrize("same", [("2001:db8::1", "2001:db8::ffff:2"), ("192.0.2.7", "::ffff:192.0.2.7")])
def test_an_ipv6_network_is_one_client_and_an_address_is_one_in_both_spellings(same):
    counted = Counted(of_address=1)
    assert [counted.come(str(n), address) for n, address in enumerate(same)] == ["", "too_many_connections_of_address"]


def test_where_it_is_full_the_oldest_that_joined_nothing_makes_room():
    counted = Counted(connections=3)
    for sid in "abc":
        assert counted.come(sid, f"192.0.2.{sid}") == ""
    counted.census.joined("a")
    assert counted.come("d") == ""
    assert counted.ended == ["b"]
    for sid in "cd":
        counted.census.joined(sid)
    assert counted.come("e") == "too_many_connections"
    assert len(counted.census) == 3


def test_a_session_that_leaves_its_last_namespace_has_joined_nothing_again():
    counted = Counted(unjoined=1, seconds=1e-9)
    counted.come("a")
    assert counted.census.overdue("a")
    counted.census.joined("a")
    counted.census.joined("a")
    counted.census.left("a")
    assert not counted.census.overdue("a")
    assert counted.begun == ["a"]
    counted.census.left("a")
    assert counted.begun == ["a", "a"]
    assert counted.census.all_overdue() == ["a"]
    assert counted.come("b") == "too_many_unjoined_of_address"


def test_what_is_said_of_a_session_that_has_ended_changes_nothing():
    counted = Counted(unjoined=1)
    counted.come("a")
    counted.census.gone("a")
    for late in (counted.census.joined, counted.census.left, counted.census.gone):
        late("a")
    assert counted.come("b") == ""
    assert len(counted.census) == 1


class Numbers:
    """What one of two workers reports, added up with what the other one does."""

    def __init__(self, mine, theirs):
        self.mine, self.theirs = mine, theirs

    def totals(self, name):
        pairs = zip(self.mine.get(name, (0, 0)), self.theirs.get(name, (0, 0)), strict=True)
        return [sum(pair) for pair in pairs]

    def put(self, name, *numbers):
        self.mine[name] = numbers


def test_a_worker_whose_sessions_have_all_joined_gets_the_room_of_strangers_at_another():
    near, far, columns = Counted(connections=4), Counted(connections=4), ({}, {})
    near.census.share(Numbers(*columns))
    far.census.share(Numbers(*columns[::-1]))
    for sid in "ab":
        assert far.come(f"stranger {sid}") == ""
    for sid in "abcd":
        assert near.come(sid) == "", "joined sessions have less than all places"
        near.census.joined(sid)
    assert near.come("e") == "too_many_connections"
    assert not near.ended
    near.census.give_room()
    far.census.give_room()
    assert (near.ended, far.ended) == ([], ["stranger a", "stranger b"])
    assert len(near.census) == 4
