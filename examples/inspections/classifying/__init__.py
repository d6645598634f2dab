"""What runs in the pool's processes: a package of its own, which imports nothing of the application."""

import base64
import io
from collections.abc import Callable
from importlib import import_module
from typing import Any

from PIL import Image

from .port import Classifier

THUMBNAIL = (320, 320)


def classifier(name: str) -> Callable[[str], dict[str, Any]]:
    """Return a function that classifies the image at a path: verdict, score, detail, and a thumbnail in base64.

    `name` is the module of a class `Classifier`.
    """
    made: Classifier = import_module(f".{name}", __package__).Classifier()

    def classify(path: str) -> dict[str, Any]:
        with Image.open(path) as image:
            image.draft("RGB", (made.edge, made.edge))  # of a JPEG, decode no more than is needed
            seen = image.convert("RGB")
        seen.thumbnail((made.edge, made.edge))
        finding, small = made.classify(seen), io.BytesIO()
        seen.thumbnail(THUMBNAIL)
        seen.save(small, "JPEG", quality=80)
        return {**vars(finding), "thumbnail": base64.b64encode(small.getvalue()).decode()}

    return classify
