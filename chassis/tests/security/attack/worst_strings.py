"""Strings that make a regular expression work hardest, put together from its own parts."""

import itertools
import re
import re._compiler as compiler
import re._constants as codes
import re._parser as parser
import time
from collections.abc import Callable, Iterator

MOST_PARTS = 10
CHARACTERS = '\\\x01\n -./:@&?=",(){}01afkA_é~'  # one of each kind that patterns tell apart
SHORT, LONG, TIMES = 200, 2_000, 4
MOST_GROWTH = 2.5 * TIMES  # linear is TIMES, quadratic its square
MOST_ROUNDS = 50
SUSPECTS = 24
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


def growth(pattern: re.Pattern, method: str) -> tuple[float, str]:
    """Return how many times the CPU time rises while the worst string found grows fourfold, and what it repeats."""
    work = _work(pattern, method)
    slowest = sorted(_shapes(pattern), key=lambda shape: _cpu(work, _text(shape, SHORT, pattern)))[-SUSPECTS:]
    return max((_growth(work, shape, pattern), repr(shape)) for shape in slowest)


def growth_of(cpu: Callable[[int], int], length: int) -> float:
    """Return how many times the CPU time rises from a length to TIMES the length.

    Measures both in turn until the growth is linear: on a busy machine that takes a quiet moment.
    """
    short, long = cpu(length), cpu(TIMES * length)
    for _ in range(MOST_ROUNDS):
        short, long = min(short, cpu(length)), min(long, cpu(TIMES * length))
        if long <= MOST_GROWTH * short:
            break
    return long / short


def _growth(work: Callable, shape: tuple[str, str, str], pattern: re.Pattern) -> float:
    texts = {length: _text(shape, length, pattern) for length in (LONG, TIMES * LONG)}
    return growth_of(lambda length: _cpu(work, texts[length]), LONG)


def _work(pattern: re.Pattern, method: str) -> Callable:
    found = getattr(pattern, method)
    if method in ("sub", "subn"):
        return lambda text: found(text[:0], text)
    return (lambda text: list(found(text))) if method == "finditer" else found


def _cpu(work: Callable, text: str | bytes) -> int:
    began = time.thread_time_ns()
    work(text)
    return time.thread_time_ns() - began


def _text(shape: tuple[str, str, str], length: int, pattern: re.Pattern) -> str | bytes:
    start, repeated, end = shape
    text = start + repeated * (length // len(repeated)) + end
    return text.encode() if isinstance(pattern.pattern, bytes) else text


def _shapes(pattern: re.Pattern) -> Iterator[tuple[str, str, str]]:
    """Yield (start, what is repeated, end): one or two parts each, which is what a pattern can stumble over."""
    single = _parts_of(pattern)
    pairs = ["".join(pair) for pair in itertools.permutations(single, 2)]
    starts = ["", "".join(single), *single, *pairs]
    return itertools.product(starts, [*single, *pairs], ["", "\n!", *single])


def _parts_of(pattern: re.Pattern) -> list[str]:
    text = pattern.pattern.decode() if isinstance(pattern.pattern, bytes) else pattern.pattern
    found = list(dict.fromkeys(_parts(parser.parse(text, pattern.flags & ~re.UNICODE))))
    return found if len(found) <= MOST_PARTS else found[:: -(-len(found) // MOST_PARTS)]


def _parts(tree: parser.SubPattern) -> Iterator[str]:
    """Yield a pattern's words, and two characters of each kind that it names."""
    word = ""
    for number, (code, argument) in enumerate(tree):
        if code is codes.LITERAL:
            word += chr(argument)
            continue
        yield from filter(None, [word])
        word = ""
        if code in (codes.IN, codes.NOT_LITERAL, codes.ANY):
            taken = [one for one in CHARACTERS if compiler.compile(tree[number : number + 1]).match(one)]
            yield from taken[:1] + taken[-1:]
        for inner in _inside(code, argument):
            yield from _parts(inner)
    yield from filter(None, [word])


def _inside(code: object, argument) -> list[parser.SubPattern]:
    if code is codes.BRANCH:
        return argument[1]
    if code in REPEATS:
        return [argument[2]]
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [argument[1]]
    return [argument] if code is codes.ATOMIC_GROUP else []
