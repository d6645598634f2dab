"""The classifier of the first run: deterministic, without a model. It measures whether an image is usable at all."""

from PIL import ImageFilter, ImageOps, ImageStat
from PIL.Image import Image

from .port import DEFECT, OK, UNSURE, Finding

# (measure, its limit of a defect, its limit of ok, what is wrong): brightness and contrast are mean and spread of the
# grey values from 0 to 255, sharpness is the spread of the edges. Judgement, not training, is behind these numbers.
LIMITS = (
    ("brightness", 35, 60, "too dark"),
    ("brightness", 230, 205, "overexposed"),
    ("sharpness", 4, 8, "blurred"),
    ("contrast", 8, 16, "without contrast"),
)


class Classifier:
    """Finds images that are too dark, overexposed, blurred, or without contrast."""

    edge = 512

    def classify(self, image: Image) -> Finding:
        """Return a defect for an image that is beyond a limit, unsure if it is near one."""
        grey = image.convert("L")
        edges = ImageOps.crop(grey.filter(ImageFilter.FIND_EDGES), 1)  # the filter leaves the border as it was
        whole, lines = ImageStat.Stat(grey), ImageStat.Stat(edges)
        measured = {"brightness": whole.mean[0], "contrast": whole.stddev[0], "sharpness": lines.stddev[0]}
        numbers = ", ".join(f"{name} {value:.0f}" for name, value in measured.items())
        places = [((measured[name] - bad) / (good - bad), told) for name, bad, good, told in LIMITS]  # 0 bad, 1 good
        defects = [(place, told) for place, told in places if place <= 0]
        place, told = defects[0] if defects else min(places)
        if place >= 1:
            return Finding(OK, round(min(1.0, 0.4 + place / 10), 2), numbers)
        if place > 0:
            return Finding(UNSURE, round(max(place, 1 - place), 2), f"perhaps {told}: {numbers}")
        return Finding(DEFECT, round(min(1.0, 0.6 - place / 2), 2), f"{told}: {numbers}")
