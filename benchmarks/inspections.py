"""Measures the event-loop lag and the memory of the service while a batch of large images is uploaded and inspected.

    python benchmarks/inspections.py [--images N] [--megabytes N] [--rounds N] [--mode eventlet]

The example must be in `app/features` (`make example NAME=inspections`). Each round uploads the same number of new
images. The lag is that of `app_hub_lag_seconds`, which is observed every tenth of a second; the memory is what the
worker does not share with other processes. The client, which makes the images before it starts, shares all cores.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.servers import ROOT, free_port

SERVE = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"]
START_SECONDS, POLL_SECONDS = 120.0, 0.1
LIMIT_SECONDS, BIN = 0.05, re.compile(r'app_hub_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')
API = "/api/inspections"
SIDE, SCALE = 1_200, 3  # of the noise in pixels, and how much larger the image is


def main() -> None:
    """Print a line for each round and phase."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=100, help="images of a batch")
    parser.add_argument("--megabytes", type=float, default=5, help="size of each, about")
    parser.add_argument("--rounds", type=int, default=3, help="batches, one after another")
    parser.add_argument("--mode", default="eventlet", help="eventlet, gevent or threading")
    arguments = parser.parse_args()
    if not (ROOT / "app/features/inspections").exists():
        sys.exit("The example is not installed: run `make example NAME=inspections`.")
    print("| round | phase | seconds | lag, p99 | lag, highest | memory before | highest | after |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    with serving(arguments.mode) as (site, worker), tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.rounds):
            files = made(Path(folder), arguments.images, arguments.megabytes, seed=number)
            for phase, figures in measured(site, worker, files):
                print(f"| {number + 1} | {phase} | {' | '.join(figures)} |", flush=True)


def made(folder: Path, count: int, megabytes: float, seed: int) -> list[Path]:
    """Write images with noise, each of at most so many megabytes, and all with another content."""
    noise = Image.frombytes("RGB", (SIDE, SIDE), random.Random(seed).randbytes(SIDE * SIDE * 3))
    noise = noise.resize((SIDE * SCALE, SIDE * SCALE))
    paths = [folder / f"{number:03}.jpg" for number in range(count)]
    quality = next(step for step in range(95, 5, -2) if encoded(noise, paths[0], step) <= megabytes * 1e6)
    for number, path in enumerate(paths):
        noise.paste((seed % 256, number % 256, number // 256), (0, 0, 64, 64))
        size = encoded(noise, path, quality)
    print(f"images of {noise.width} x {noise.height} pixels and {size / 1e6:.1f} MB", file=sys.stderr)
    return paths


def encoded(image: Image.Image, path: Path, quality: int) -> int:
    """Write a JPEG, and return its size."""
    image.save(path, "JPEG", quality=quality)
    return path.stat().st_size


def measured(site: str, worker: int, files: list[Path]) -> Iterator[tuple[str, list[str]]]:
    """Upload the files and wait for their verdicts; yield the figures of both phases."""
    with watched(site, worker) as figures:
        made = upload(site, files)
    yield "upload", figures
    with watched(site, worker) as figures:
        while (found := requests.get(f"{site}{API}/{made['id']}", timeout=60).json())["status"] in (
            "queued",
            "running",
        ):
            time.sleep(POLL_SECONDS)
    if (found["status"], found["done"]) != ("succeeded", len(files)):
        sys.exit(f"the inspection ended as {found}")
    yield "inspection", figures


def inspection(site: str, inspection_id: str) -> dict[str, object]:
    """Return an inspection."""
    found: dict[str, object] = requests.get(f"{site}{API}/{inspection_id}", timeout=60).json()
    return found


def upload(site: str, files: list[Path]) -> dict[str, str]:
    """Send the files with curl, which reads them as it sends them."""
    form = [part for path in files for part in ("-F", f"files=@{path}")]
    told = subprocess.run(["curl", "-sS", *form, f"{site}{API}"], capture_output=True, check=True).stdout
    answer: dict[str, str] = json.loads(told)
    if "id" not in answer:
        sys.exit(f"the upload was refused: {answer}")
    return answer


@contextmanager
def watched(site: str, worker: int) -> Iterator[list[str]]:
    """Yield a list that holds seconds, lag and memory at the end."""
    figures: list[str] = []
    ended, memory = threading.Event(), [memory_bytes(worker)]

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            memory.append(memory_bytes(worker))

    before, since, watcher = bins(site), time.monotonic(), threading.Thread(target=watch)
    watcher.start()
    try:
        yield figures
    finally:
        seconds = time.monotonic() - since
        ended.set()
        watcher.join()
    lags = [(edge, count - earlier) for (edge, count), (_, earlier) in zip(bins(site), before, strict=True)]
    share = [(edge, count / (lags[-1][1] or 1)) for edge, count in lags]
    highest = [next(edge for edge, part in share if part >= wanted) for wanted in (0.99, 1)]
    shown = [f"<= {edge * 1_000:g} ms{' **' if edge > LIMIT_SECONDS else ''}" for edge in highest]
    figures += [f"{seconds:.1f}", *shown, *(f"{size / 1e6:.0f} MB" for size in (memory[0], max(memory), memory[-1]))]


def bins(site: str) -> list[tuple[float, float]]:
    """Return the edges of the lag's histogram and what was counted up to each."""
    text = requests.get(f"{site}/metrics", timeout=60).text
    return [(float(edge.replace("+Inf", "inf")), float(count)) for edge, count in BIN.findall(text)]


def memory_bytes(pid: int) -> int:
    """Return the memory of a process that is not shared."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty"))


@contextmanager
def serving(mode: str) -> Iterator[tuple[str, int]]:
    """Run the service on an empty database; yield its URL and its worker's process id."""
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("wb") as log:
        env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        env |= {"APP_ENV": "test", "PORT": str(free_port()), "ASYNC_MODE": mode, "INSPECTION_CACHE_SECONDS": "0"}
        env |= {"DATABASE_URL": f"sqlite:///{folder}/app.db", "RATE_LIMIT_DEFAULT": "100000 per second"}
        env |= {"QUOTA_UPLOADS_PER_DAY": "0", "QUOTA_STORED_BYTES": "0"}
        with subprocess.Popen(SERVE, cwd=ROOT, env=env, stdout=log, stderr=log) as server:
            try:
                site = f"http://127.0.0.1:{env['PORT']}"
                wait_until_ready(site, Path(folder, "log"))
                found = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=True)
                yield site, int(found.stdout.split()[0])
            finally:
                server.terminate()


def wait_until_ready(site: str, log: Path) -> None:
    """Wait until the service is ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            if requests.get(f"{site}/readyz", timeout=60).ok:
                return
        time.sleep(POLL_SECONDS)
    sys.exit(f"the service does not start:\n{log.read_text()[-2_000:]}")


if __name__ == "__main__":
    main()
