"""The classifier of the first run: deterministic, without a model. It measures whether an image is usable at all."""

from PIL import ImageFilter, ImageStat
from PIL.Image import Image

from .port import DEFECT, OK, UNSURE, Finding

# (name, fewest for ok, fewest for unsure, sentence): brightness and its spread are 0 to 255, sharpness is the spread
# of the edges. A measure of the image's own; there is no training behind these numbers.
LOW = (
    ("brightness", 60.0, 35.0, "too dark"),
    ("contrast", 25.0, 12.0, "too little contrast"),
    ("sharpness", 12.0, 5.0, "blurred"),
)
HIGH = (("brightness", 205.0, 230.0, "overexposed"),)


class Classifier:
    """Finds images that are too dark, overexposed, blurred, or without contrast."""

    edge = 512

    def classify(self, image: Image) -> Finding:
        """Return a defect for an image that is beyond one of the limits, unsure if it is near."""
        grey = image.convert("L")
        whole, edges = ImageStat.Stat(grey), ImageStat.Stat(grey.filter(ImageFilter.FIND_EDGES))
        measured = {"brightness": whole.mean[0], "contrast": whole.stddev[0], "sharpness": edges.stddev[0]}
        shares = [(measured[name] - bad, good - bad, told) for name, good, bad, told in LOW]
        shares += [(bad - measured[name], bad - good, told) for name, good, bad, told in HIGH]
        share, told = min((over / width, told) for over, width, told in shares)  # 0 is the limit of bad, 1 of good
        numbers = ", ".join(f"{name} {value:.0f}" for name, value in measured.items())
        if share >= 1:
            return Finding(OK, round(min(1.0, share / 2), 2), numbers)
        if share > 0:
            return Finding(UNSURE, round(max(share, 1 - share), 2), f"perhaps {told}: {numbers}")
        return Finding(DEFECT, round(min(1.0, 0.5 - share / 2), 2), f"{told}: {numbers}")
