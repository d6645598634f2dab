"""Measures how far the layout of each page shifts while it loads, on a desktop and on a slow phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chassis.tests.screenshots.places import Places
from chassis.tests.screenshots.seeded import Seeded, seeded
from chassis.tests.screenshots.states import STATES, VIEWS
from chassis.tests.screenshots.walk import opened, visits

LIMIT = 0.05  # of the sum of all shifts, which is no smaller than the CLS
SLOWER = {"desktop": 1, "phone": 6}  # how many times slower the processor is
SETTLED = "new Promise((settled) => setTimeout(() => requestAnimationFrame(settled), 1000))"
NOTE = """window.shifts = [];
const nameOf = (node) => node ? `${node.localName ?? "text"}#${node.id ?? ""}.${node.className ?? ""}` : "gone";
new PerformanceObserver((list) => { for (const one of list.getEntries()) {
  if (!one.hadRecentInput) shifts.push({ value: one.value, nodes: one.sources.map(({ node }) => nameOf(node)) });
} }).observe({ type: "layout-shift", buffered: true });"""


def worst(browser: Any, folder: Path) -> float:
    """Print the shift of each page that is above a tenth of the limit; return the greatest one."""
    values = [0.0]
    with seeded(folder) as service:
        for name, shifts in every(browser, service):
            values.append(sum(shift["value"] for shift in shifts))
            if values[-1] > LIMIT / 10:
                nodes = sorted({node for shift in shifts for node in shift["nodes"]})
                print(f"layout shift {values[-1]:.3f}: {name} ({', '.join(nodes)})")
    print(f"greatest layout shift of {len(values) - 1} page loads: {max(values):.3f} (limit {LIMIT})")
    return max(values)


def every(browser: Any, service: Seeded) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Load each page without and with data; yield its name and its shifts."""
    places = Places(service.app, service.url)
    for state in [state for state in STATES if state.name in ("empty", "data")]:
        for view, slower in SLOWER.items():
            context = browser.new_context(viewport=VIEWS[view]["size"])
            context.add_init_script(NOTE)
            page = opened(context, service, state)
            if state.data and view == "desktop":
                service.fill(context)
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
            for name, _ in visits(page, service.url, places, state):
                page.evaluate(SETTLED)
                yield f"{name}.{view}", page.evaluate("shifts")
            context.close()
