"""The section "Docker" of docs/deploy.md, typed."""

import re
import time
from pathlib import Path

from chassis.tests.conftest import free_port
from chassis.tests.deploy.proof.container_client import ROWS, Visitor
from chassis.tests.deploy.proof.container_engine import Engine
from chassis.tests.deploy.proof.report import Report
from chassis.tests.documents import blocks

WRITABLE = "find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*' | sort | head -20"
NOT_ROOTS = "find /app /venv -not -type l \\( -not -user 0 -o -perm /022 \\)"
ALLOWED = ("/data", "/tmp", "/var/tmp", "/run")  # the last two are podman's own, with --read-only
LAYERS = ".RootFS.Layers"


def prove_part(report: Report, engine: Engine, clone: Path) -> None:
    """Build and run the image in every way that the section tells."""
    one, two, three = (free_port() for _ in range(3))
    look, start, update, back, copy = (
        text.replace("-p 5000:", f"-p {three}:").replace("127.0.0.1:5000", f"127.0.0.1:{one}").replace("5001", str(two))
        for text in blocks("docs/deploy.md", "Docker")
    )
    look_at_it(report, engine, clone, look, three)
    run = re.search(r'^run=".*?"$', start, re.MULTILINE | re.DOTALL)[0] + "\n"
    with report.step("docker", "build and start as in production"):
        engine.shell(start.replace("\nrun=", "\necho DEMO_PREDICTOR=true >> my-service.env\nrun="), clone)
        key = re.search("ADMIN_API_KEY=(.*)", (clone / "my-service.env").read_text())[1]
        first = Visitor(f"http://127.0.0.1:{one}", key=key)
        first.wait_for_page()
    confined(report, engine)
    batch = works(report, engine, first)
    second = Visitor(f"http://127.0.0.1:{two}", key=key)
    with report.step("docker", "update beside the old one, and back") as line:
        engine.shell(run + update, clone)
        assert second.done(batch) == len(ROWS)
        assert '"version"' in second.get("/healthz")[1]
        line.see("the new one has the data")
        later = second.run_batch()
        engine.shell(run + back, clone)
        assert first.done(later) == len(ROWS)
        engine.run("podman", "stop", "my-service-1")
        engine.shell(copy, clone)
        engine.run("podman", "start", "my-service-1")
        first.wait_for_page()
        assert (first.done(batch), first.done(later)) == (len(ROWS), 0)
        line.see("back, and back to the copy of the database")
    ends(report, engine)


def look_at_it(report: Report, engine: Engine, clone: Path, block: str, port: int) -> None:
    """Type the first block, and see the page; then build again and compare."""
    with report.step("docker", "from clone to first page") as line:
        started = time.monotonic()
        engine.shell(block.replace("docker run --rm", "docker run -d --name look"), clone)
        Visitor(f"http://127.0.0.1:{port}").wait_for_page()
        line.see(f"{time.monotonic() - started:.0f} s")
        sizes = [int(engine.inspect(name, ".Size")) for name in ("my-service", engine.images[0])]
        line.see(f"the image adds {(sizes[0] - sizes[1]) / 1e6:.0f} MB to its base")
        engine.run("podman", "rm", "-f", "look")
    with report.step("docker", "two builds have the same layers") as line:
        for name in ("same:1", "same:2"):
            engine.run("podman", "build", "-q", "--no-cache", "--timestamp", "0", "-t", name, clone)
        assert engine.inspect("same:1", LAYERS) == engine.inspect("same:2", LAYERS)


def confined(report: Report, engine: Engine) -> None:
    """See what the process may do in its container."""
    with report.step("docker", "read-only, no capabilities, a memory limit") as line:
        assert engine.run("podman", "exec", "my-service-1", "id", "-u") == "10001"
        may_write = engine.run("podman", "exec", "my-service-1", "sh", "-c", WRITABLE).split()
        assert not [path for path in may_write if not path.startswith(ALLOWED)], may_write
        assert engine.run("podman", "exec", "my-service-1", "sh", "-c", NOT_ROOTS) == ""
        status = engine.run("podman", "exec", "my-service-1", "cat", "/proc/1/status")
        assert re.findall(r"Cap(?:Eff|Prm|Bnd):\s+(\w+)", status) == ["0" * 16] * 3
        assert "NoNewPrivs:\t1" in status
        assert engine.inspect("my-service-1", ".HostConfig.ReadonlyRootfs") == "true"
        line.see(f"user 10001, memory {int(engine.inspect('my-service-1', '.HostConfig.Memory')) / 2**20:.0f} MiB")
        outside = engine.run("podman", "exec", "my-service-1", "sh", "-c", "touch /app/x /venv/x 2>&1 || true")
        assert outside.count("Read-only file system") == 2, outside
        assert engine.inspect("my-service-1", 'index .Config.Labels "org.opencontainers.image.version"') == "1"


def works(report: Report, engine: Engine, visitor: Visitor) -> str:
    """Ask its health check, do a batch, and find it again after a restart."""
    with report.step("docker", "health check, a batch, a socket, the data after a restart") as line:
        engine.run("podman", "healthcheck", "run", "my-service-1")
        batch = visitor.run_batch()
        visitor.call_by_websocket()
        line.see(f"{len(ROWS)} rows answered")
        engine.run("podman", "restart", "my-service-1")
        visitor.wait_for_page()
        assert visitor.done(batch) == len(ROWS)
        return batch


def ends(report: Report, engine: Engine) -> None:
    """Stop it as a platform does."""
    with report.step("docker", "SIGTERM reaches gunicorn as PID 1") as line:
        assert "gunicorn" in engine.run("podman", "exec", "my-service-1", "cat", "/proc/1/cmdline")
        started = time.monotonic()
        engine.run("podman", "stop", "-t", "30", "my-service-1")
        seconds = time.monotonic() - started
        assert engine.inspect("my-service-1", ".State.ExitCode") == "0"
        assert seconds < 15
        line.see(f"exit 0 after {seconds:.1f} s")
        engine.run("podman", "rm", "-fa")
