"""Estimates how easily a password is guessed.

zxcvbn knows common words, names, dates, keyboard rows and context; a list of breached passwords and the families that
people choose from most know what it lets through.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from chassis.base.concurrency import original
from chassis.parts.accounts.breached import is_breached
from chassis.parts.accounts.families import HINT, is_of_a_family

BETWEEN_WORDS = re.compile(r"[\W_]+")
# Guessing of stolen hashes requires more: zxcvbn's highest score. Wheeler, "zxcvbn", USENIX Security 2016.
LEAST_GUESSES = 10**10
LOOKED_AT_CHARACTERS = 40  # at most 20 ms of CPU time; 64 took 60 ms
MOST_SPELLINGS = 8
# One look-alike per letter: zxcvbn tries every combination, a thousand when all are present.
ONE_LOOK_ALIKE = str.maketrans("@{[<!|579", "4(((11$+6")
MOST_WORDS, LONGEST_WORD, SHORTEST_WORD = 40, 100, 3
BREACHED = "It is in a public list of breached passwords. Add another word or two."
OWN_WORDS = "Leave out your email address, your name and the name of this service."
_one_at_a_time = original("threading", "Lock")()  # zxcvbn stores a person's words globally


def hints(password: str, texts: Iterable[str]) -> list[str]:
    """Return hints for a better password, as sentences; empty when it is good enough.

    The words of `texts` (the person's e-mail and name, the service's name) count as known to an attacker. It takes up
    to 20 ms, and the first call 0.1 s for the lists: run it outside of the hub.
    """
    with _one_at_a_time:
        found = _judged(password[:LOOKED_AT_CHARACTERS], list(_words(texts)))
    if found["guesses"] < LEAST_GUESSES:
        return _sentences(found["sequence"])
    if is_of_a_family(password):
        return [HINT]
    return [BREACHED] if is_breached(password) else []


def _judged(password: str, words: list[str]) -> dict[str, Any]:
    from zxcvbn import matching, zxcvbn  # 13 MB, so it is imported only when somebody sets a password

    spellings = 1
    for look_alikes in matching.L33T_TABLE.values():
        spellings *= max(1, sum(one in password for one in look_alikes))
    if spellings > MOST_SPELLINGS:
        password = password.translate(ONE_LOOK_ALIKE)
    try:
        return zxcvbn(password, user_inputs=words)  # type: ignore[no-any-return]
    finally:
        matching.RANKED_DICTIONARIES["user_inputs"] = {}


def _sentences(sequence: list[dict[str, Any]]) -> list[str]:
    from zxcvbn.feedback import get_feedback

    told = get_feedback(0, sequence)
    own = [OWN_WORDS] if any(match.get("dictionary_name") == "user_inputs" for match in sequence) else []
    return [sentence for sentence in (*own, told["warning"], *told["suggestions"]) if sentence]


def _words(texts: Iterable[str]) -> Iterator[str]:
    """Yield each text and its parts, with long texts shortened and the number limited."""
    left = MOST_WORDS
    for text in texts:
        plain = text[:LONGEST_WORD].lower()
        parts = BETWEEN_WORDS.split(plain)
        for word in dict.fromkeys((plain, "".join(parts), *parts)):
            if len(word) >= SHORTEST_WORD and left:
                left -= 1
                yield word
