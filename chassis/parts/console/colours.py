"""The variants of a brand's colour for all pages, readable on light and dark backgrounds."""

RGB = tuple[float, float, float]
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
LIGHT_CARD, DARK_CARD = "#ffffff", "#1a2126"  # as in app.css
BLACK, WHITE = (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)
ON_ACCENT = ("#ffffff", "#0b1113")
SOFT = 0.1  # the share of the colour in the background of highlighted elements
STEP = 0.04


def stylesheet(colour: str) -> str:
    """Return the style sheet for a colour given as #rrggbb."""
    light, dark = _readable(_rgb(colour), _rgb(LIGHT_CARD), BLACK), _readable(_rgb(colour), _rgb(DARK_CARD), WHITE)
    lines = {
        "accent": (light, dark),
        "on-accent": (_on(light), _on(dark)),
        "soft": (_mixed(_rgb(LIGHT_CARD), light, SOFT), _mixed(_rgb(DARK_CARD), dark, SOFT)),
    }
    text = "".join(f"  --{name}: light-dark({_hex(a)}, {_hex(b)});\n" for name, (a, b) in lines.items())
    return f":root {{\n{text}}}\n"


def contrast(one: RGB, other: RGB) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _readable(colour: RGB, card: RGB, towards: RGB) -> RGB:
    """Return the colour, darkened or lightened until it is readable on the card and on its own soft background."""
    for step in range(int(1 / STEP) + 1):
        found = _mixed(colour, towards, step * STEP)
        if contrast(found, _mixed(card, found, SOFT)) >= LEAST_CONTRAST:
            return found
    return towards


def _on(accent: RGB) -> RGB:
    return max((_rgb(text) for text in ON_ACCENT), key=lambda text: contrast(text, accent))


def _mixed(one: RGB, other: RGB, share: float) -> RGB:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: RGB) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (p / 255 for p in colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> RGB:
    red, green, blue = (float(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return red, green, blue


def _hex(colour: RGB) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in colour)
