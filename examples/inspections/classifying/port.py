"""What a classifier is."""

from dataclasses import dataclass
from typing import Protocol

from PIL.Image import Image

OK, UNSURE, DEFECT = "ok", "unsure", "defect"


@dataclass(frozen=True)
class Finding:
    """A verdict, how sure it is (0 to 1), and its reason."""

    verdict: str
    score: float
    detail: str


class Classifier(Protocol):
    """Judges images, one at a time; it is created once in each process."""

    edge: int
    """The longest side in pixels of the images that it is given."""

    def classify(self, image: Image) -> Finding:
        """Return the finding of an image in RGB."""
