"""No text is normalised whose length is not bounded: the work grows with its square."""

import re

import pytest

from chassis.base.texts import normalized
from chassis.naming import MOST_CHARACTERS, slug_of
from chassis.tests.conftest import ROOT

ELSEWHERE = re.compile(r"unicodedata\.(?:normalize|is_normalized)|import normalize\b|[\"']idna[\"']|[\"']punycode[\"']")


@pytest.mark.parametrize("text", ["\u0301" * 1_001, "\ufdfa" * 100_000])
def test_a_long_text_is_refused_unread(text):
    with pytest.raises(ValueError, match="more than 1,000 characters"):
        normalized(text, 1_000)


def test_the_name_of_a_service_is_cut_before_it_is_made_plain():
    assert slug_of("\u0301" * 10_000_000) == ""
    assert slug_of("Acm\u0301e" * 100) == ("acme" * 100)[: MOST_CHARACTERS * 4 // 5]


def test_texts_are_normalised_in_two_places_alone():
    files = sorted(
        path for name in ("app", "chassis") for path in (ROOT / name).rglob("*.py") if "tests" not in path.parts
    )
    assert [path.name for path in files if ELSEWHERE.search(path.read_text())] == ["texts.py", "naming.py"]
