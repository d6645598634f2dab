"""Errors of an API that are nested as deeply as some versions of Python can parse."""

from chassis.upstream import refusals

DEEP = 5_000


def nested(inner, around):
    for _ in range(DEEP):
        inner = around(inner)
    return inner


def test_an_error_that_is_deeper_than_calls_can_be_has_no_text():
    for around in (lambda one: {"detail": [one]}, lambda one: {"metadata": {"raw": one}}):
        assert refusals.detail(nested({"message": "no"}, around), b"", "") == ""


def test_only_the_first_list_around_an_error_is_googles():
    assert refusals.error_in([{"error": "no"}]) == "no"
    assert refusals.error_in(nested({"error": "no"}, lambda one: [one])) is None
