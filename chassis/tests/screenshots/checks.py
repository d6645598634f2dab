"""What is wrong with a page that a browser shows."""

import json
from pathlib import Path

import axe_playwright_python

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = {"resultTypes": ["violations"], "elementRef": False}
FOUND = f"""async () => (await axe.run(document, {json.dumps(RULES)})).violations.flatMap(({{ id, help, nodes }}) =>
  nodes.map(({{ target }}) => `${{id}} (${{help}}): ${{target.join(" ")}}`))"""
WORDS = "(document.querySelector('main') ?? document.body).innerText.trim().length"
TOO_WIDE = """document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).slice(0, 3)
  .map((one) => `too wide: ${one.tagName.toLowerCase()}.${one.className}#${one.id}`)"""


def faults(page, *, scripts: bool) -> list[str]:
    """Return sentences on what is wrong with the page as it is: blank, too wide, or inaccessible (if scripts run)."""
    blank = [] if page.evaluate(WORDS) else ["the page is blank"]
    return blank + page.evaluate(TOO_WIDE) + (accessibility(page) if scripts else [])


def accessibility(page) -> list[str]:
    """Return what axe-core finds."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(FOUND)
