"""A small neural network that reads labels: text that it reads with certainty is fine, none is a defect.

The models are those that ship in the package rapidocr (PP-OCRv6 small, Apache 2.0); nothing is downloaded.
"""

from typing import Any

from PIL.Image import Image

from .port import DEFECT, OK, UNSURE, Finding

SURE = 0.9
ONE_THREAD = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}  # the pool has a process per core
SHOWN_CHARACTERS = 200


class Classifier:
    """Checks that a label is there and legible."""

    edge = 1_280

    def __init__(self) -> None:
        import rapidocr  # type: ignore[import-not-found, unused-ignore]

        self._read: Any = rapidocr.RapidOCR(params={"Global.log_level": "error", **ONE_THREAD})

    def classify(self, image: Image) -> Finding:
        """Return ok for text that is read with certainty, unsure for other text, and a defect if there is none."""
        import numpy  # type: ignore[import-not-found, unused-ignore]

        found = self._read(numpy.asarray(image)[:, :, ::-1])  # it expects blue, green, red
        texts, scores = list(found.txts or ()), [float(score) for score in found.scores or ()]
        if not texts:
            return Finding(DEFECT, 1.0, "no legible text")
        certain, told = min(scores), f'reads "{" ".join(texts)[:SHOWN_CHARACTERS]}"'
        return Finding(OK if certain >= SURE else UNSURE, round(certain, 2), told)
