"""What is searched for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select


@dataclass(frozen=True)
class Query:
    """A question to the documents whose ids `within` finds, and how many passages are wanted at `most`.

    A passage fits if it contains a word of the text, or if the model `embedder` made its vector, too, and that is at
    most `farthest` away: the cosine distance is 0 in the same direction, 1 with nothing in common, 2 in the opposite
    one.
    """

    text: str
    vector: Sequence[float]
    embedder: str
    within: Select[Any]
    farthest: float
    most: int
