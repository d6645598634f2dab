"""Vectors: how they are stored, and made from a text without a model."""

import math
import re
from array import array
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from operator import mul
from typing import Any

from sqlalchemy import ARRAY, REAL, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

BUILT_IN = "built-in"
DIMENSIONS = 256
WORD = re.compile(r"\w{1,100}")  # PostgreSQL refuses to look for words of more than 2 kB
COMMON = {"a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how", "i", "in", "is"}
COMMON |= {"it", "its", "me", "my", "of", "on", "or", "the", "to", "was", "what", "when", "which", "with", "you"}


class Vector(TypeDecorator[list[float]]):
    """A list of floats: packed as 32-bit floats on SQLite, an array of `real` on PostgreSQL."""

    impl, cache_ok = LargeBinary, True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return the type in this kind of database."""
        return dialect.type_descriptor(ARRAY(REAL) if dialect.name == "postgresql" else LargeBinary())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return what is stored."""
        return value if dialect.name == "postgresql" or value is None else array("f", value).tobytes()


def words_of(text: str) -> list[str]:
    """Return the words of a text that tell what it is about."""
    return [word for word in WORD.findall(text.lower()) if word not in COMMON]


def built_in(text: str) -> list[float]:
    """Return a vector of the words of a text and their beginnings: similar texts have similar vectors.

    It knows no meaning, needs no model, and is the same on every machine.
    """
    vector = [0.0] * DIMENSIONS
    for feature, count in Counter(f for word in words_of(text) for f in (word, f"{word[:5]}*")).items():
        hashed = int.from_bytes(blake2b(feature.encode(errors="replace"), digest_size=8).digest(), "big")
        vector[hashed % DIMENSIONS] += (1 + math.log(count)) * (1 if hashed >> 63 else -1)
    return unit(vector)


def unit(vector: Sequence[float]) -> list[float]:
    """Return the vector with the length 1, or as it is if it has none."""
    length = math.sqrt(sum(map(mul, vector, vector))) or 1.0
    return [value / length for value in vector]
