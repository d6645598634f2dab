"""The classifiers, in this process: what runs in the pool is plain functions."""

import base64
import io

import pytest
from PIL import Image, ImageDraw, ImageFilter

from app.features.inspections.classifying import classifier
from app.features.inspections.tests.conftest import picture


def saved(image, folder, kind="PNG"):
    path = folder / f"image.{kind.lower()}"
    image.save(path, kind)
    return str(path)


def read(content: bytes):
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    "change, verdict, said",
    [
        (lambda image: image, "ok", "brightness"),
        (lambda image: image.point(lambda value: value // 10), "defect", "too dark"),
        (lambda image: image.point(lambda value: 225 + value // 9), "defect", "overexposed"),
        (lambda image: image.filter(ImageFilter.GaussianBlur(12)), "defect", "blurred"),
        (lambda image: Image.new("RGB", image.size, (128, 128, 128)), "defect", ""),
    ],
    ids=["fine", "dark", "bright", "blurred", "grey"],
)
def test_the_built_in_classifier_tells_what_is_wrong(tmp_path, change, verdict, said):
    found = classifier("measure")(saved(change(read(picture(50))), tmp_path))
    assert (found["verdict"], said in found["detail"]) == (verdict, True), found
    assert 0.5 <= found["score"] <= 1


def test_it_is_deterministic_and_makes_a_thumbnail(tmp_path):
    path = saved(read(picture(51, size=(1500, 1000))), tmp_path, "JPEG")
    first, second = (classifier("measure")(path) for _ in range(2))
    assert first == second
    assert read(base64.b64decode(first["thumbnail"])).size == (320, 213)


def test_the_model_reads_labels(tmp_path):
    pytest.importorskip("rapidocr", reason="needs requirements-text.in")
    image = Image.new("RGB", (640, 240), "white")
    ImageDraw.Draw(image).text((40, 80), "LOT 4711", fill="black", font_size=80)
    classify = classifier("text")
    found = classify(saved(image, tmp_path))
    assert (found["verdict"], "4711" in found["detail"]) == ("ok", True), found
    assert classify(saved(Image.new("RGB", (640, 240), "white"), tmp_path))["verdict"] == "defect"
