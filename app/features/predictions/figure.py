"""A figure of the results by model and outcome: bars as SVG, without a library."""

from collections.abc import Iterable

from markupsafe import Markup

Count = tuple[str, str, int]  # model, outcome, rows
WIDTH, LEFT, TOP, STEP, BAR = 760, 210, 64, 46, 24
COLOURS = {"succeeded": "#2f7d4f", "failed": "#b3372f"}  # they also differ in lightness
TEXT = Markup('<text x="{}" y="{}" font-size="{}" text-anchor="{}">{}</text>')
RECT = Markup('<rect x="{}" y="{}" width="{:.1f}" height="{}" fill="{}"><title>{}</title></rect>')
HEAD = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" '
    'font-family="system-ui, sans-serif" fill="#1b1f24"><title>{2}</title>'
    '<rect width="{0}" height="{1}" fill="#ffffff"/>'
)


def draw(counts: Iterable[Count], made_at: str) -> str:
    """Return the figure: one bar per model, its length the number of rows, divided by outcome."""
    by_model: dict[str, dict[str, int]] = {}
    for model, outcome, number in counts:
        by_model.setdefault(model, {})[outcome] = number
    longest = max((sum(outcomes.values()) for outcomes in by_model.values()), default=1)
    title = "Results by model and outcome"
    height = TOP + STEP * max(1, len(by_model)) + 20
    parts = [HEAD.format(WIDTH, height, title), TEXT.format(16, 28, 18, "start", title)]
    parts += [TEXT.format(16, 48, 12, "start", f"{made_at} green succeeded, red failed".strip())]
    if not by_model:
        parts.append(TEXT.format(16, TOP + BAR, 14, "start", "No row has an answer yet."))
    for number, (model, outcomes) in enumerate(sorted(by_model.items())):
        parts += _bar(model, outcomes, TOP + STEP * number, (WIDTH - LEFT - 130) / longest)
    return str(Markup("\n").join([*parts, Markup("</svg>\n")]))


def _bar(model: str, outcomes: dict[str, int], y: int, scale: float) -> Iterable[Markup]:
    shown = model if len(model) <= 26 else f"{model[:25]}…"
    yield TEXT.format(LEFT - 10, y + 17, 14, "end", shown)
    x = float(LEFT)
    for outcome, colour in COLOURS.items():
        number = outcomes.get(outcome, 0)
        if number:
            yield RECT.format(round(x, 1), y, number * scale, BAR, colour, f"{model}: {number:,} {outcome}")
        x += number * scale
    words = " / ".join(f"{outcomes.get(outcome, 0):,}" for outcome in COLOURS)
    yield TEXT.format(round(x, 1) + 8, y + 17, 13, "start", words)
