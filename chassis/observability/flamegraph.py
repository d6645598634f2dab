"""Output formats of a profile: a page with a flame graph, speedscope's JSON, or collapsed stacks."""

import html
import json
from collections import Counter
from pathlib import Path
from typing import Any

from chassis.observability.profiling import MAIN

Profile = dict[str, Any]
SHOWN_SHARE = 0.001  # narrower boxes would only be a line
STYLE = """
body{font:13px system-ui,sans-serif;margin:16px;color:#222} .g{display:flex;flex-direction:row;width:100%}
.c{overflow:hidden;min-width:0} .b{overflow:hidden;white-space:nowrap;text-overflow:ellipsis;padding:1px 3px;
border:1px solid #fff;background:#f4c27a;line-height:16px;height:16px} .own>.b{background:#e8744a}
.w>.b{background:#d5dbe3}
"""


def write(profile: Profile, path: Path) -> None:
    """Write a profile: `.json` for speedscope.app, `.txt` for tools that read collapsed stacks, otherwise a page."""
    forms = {".json": speedscope, ".txt": collapsed}
    path.write_text(forms.get(path.suffix, page)(profile), encoding="utf-8")


def summary(profile: Profile) -> str:
    """Return one line that says where the time was spent."""
    seconds, samples = profile["seconds"], profile["samples"]
    busy: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    for stack, waiting, count in profile["stacks"]:
        if not waiting:
            busy[stack[-1]] += count
            ours.update({name: count for name in set(stack) if "(app/" in name})
    computed = f"{profile['cpu_seconds']:.1f} of {seconds:.1f} s of CPU time"
    inside = "; of the samples in " + _top(busy, samples) if busy else ""
    through = ", of ours in " + _top(ours, samples) if ours else ""
    return f"{computed}{inside}{through}."


def collapsed(profile: Profile) -> str:
    """Return one line per stack: its functions from the outermost inwards, and its number of samples."""
    return "".join(f"{';'.join(stack)}{';(waits)' if waits else ''} {n}\n" for stack, waits, n in profile["stacks"])


def speedscope(profile: Profile) -> str:
    """Return the file format of https://www.speedscope.app, which opens files in the browser without uploading them."""
    names: dict[str, int] = {}
    for stack, _, _ in profile["stacks"]:
        for name in stack:
            names.setdefault(name, len(names))
    total = sum(count for _, _, count in profile["stacks"])
    sampled = {
        "type": "sampled",
        "name": f"process {profile['pid']}",
        "unit": "none",
        "startValue": 0,
        "endValue": total,
        "samples": [[names[name] for name in stack] for stack, _, _ in profile["stacks"]],
        "weights": [count for _, _, count in profile["stacks"]],
    }
    schema = "https://www.speedscope.app/file-format-schema.json"
    shared = {"frames": [{"name": name} for name in names]}
    return json.dumps({"$schema": schema, "shared": shared, "profiles": [sampled]})


def page(profile: Profile) -> str:
    """Return a page without scripts: a box's width is its function's number of samples, its callees are below it."""
    root: dict[str, Any] = {"n": 0, "w": 0, "c": {}}
    for stack, waiting, count in profile["stacks"]:
        if waiting and stack[0] != MAIN:  # idle threads
            continue
        node = root
        for name in (None, *stack):
            node = node if name is None else node["c"].setdefault(name, {"n": 0, "w": 0, "c": {}})
            node["n"] += count
            node["w"] += count if waiting else 0
    title = f"Process {profile['pid']} ({profile['mode']})"
    legend = "Orange: code of app. Grey: waiting. The width of a box is its share of the samples; hover to see it."
    body = _boxes(root, root["n"] or 1)
    return (
        f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
        f"<h1>{title}</h1><p>{html.escape(summary(profile))}</p><p>{legend}</p>{body}\n"
    )


def _boxes(node: dict[str, Any], total: int) -> str:
    shown = [(name, child) for name, child in node["c"].items() if child["n"] / total >= SHOWN_SHARE]
    parts = (_box(name, child, node["n"], total) for name, child in sorted(shown, key=lambda one: -one[1]["n"]))
    return f"<div class=g>{''.join(parts)}</div>" if shown else ""


def _box(name: str, node: dict[str, Any], beside: int, total: int) -> str:
    kind = "w" if node["w"] == node["n"] else "own" if "(app/" in name else ""
    label = html.escape(name)
    share = f"{label}: {100 * node['n'] / total:.1f} %"
    inside = f'<div class=b title="{share}">{label}</div>{_boxes(node, total)}'
    return f'<div class="c {kind}" style="width:{100 * node["n"] / beside:.3f}%">{inside}</div>'


def _top(found: Counter[str], samples: int) -> str:
    return ", ".join(f"{name} {100 * count / max(1, samples):.0f} %" for name, count in found.most_common(3))
