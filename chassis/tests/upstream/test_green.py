"""The client is the same under eventlet, gevent and threads, and never holds up the hub."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import ROOT

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("mode", ["eventlet", "gevent", "threading"])
def test_a_hundred_callers_keep_pace_and_limit_and_leave_the_hub_free(mode: str, start_fake, certificate) -> None:
    fake, tls = start_fake("--latency", "0.08"), start_fake("--certificate", str(certificate))
    run = subprocess.run(
        [sys.executable, "-W", "ignore", HERE / "green_callers.py", mode, fake.url, tls.url],
        env={**os.environ, "PYTHONPATH": str(ROOT), "REQUESTS_CA_BUNDLE": str(certificate)},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["mode"] == mode
    assert found["texts"] == sorted(f"echo: row {n}" for n in range(100))
    assert found["streamed"] == sorted(f"echo: streamed {n}" for n in range(50))
    assert found["cancelled"] == [True, True]  # a call that held up the hub would let nobody cancel it
    stats = fake.stats()
    starts = [t for t, prompt in zip(stats["starts"], stats["prompts"], strict=True) if prompt.startswith("row")]
    assert starts[-1] - found["began"] > 0.8
    assert 2 <= stats["max_in_flight"] <= 10
