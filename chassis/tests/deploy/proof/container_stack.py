"""The section "Compose" of docs/deploy.md, typed."""

import time
from pathlib import Path

from chassis.tests.conftest import free_port
from chassis.tests.deploy.proof import container_monitoring
from chassis.tests.deploy.proof.container_client import ROWS, Stream, Visitor
from chassis.tests.deploy.proof.container_engine import Engine
from chassis.tests.deploy.proof.report import Report
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

APP, PROXY = f"{SLUG}_app_1", f"{SLUG}_proxy_1"


def prove_part(report: Report, engine: Engine, clone: Path) -> None:
    """Bring the stack up, visit it, change it, and take it away."""
    demo, up, restart, update, back, copy = blocks("docs/deploy.md", "Compose")
    ports = {name: str(free_port()) for name in ("HTTP_PORT", "HTTPS_PORT", "PORT", "GRAFANA_PORT")}
    with report.step("compose", "the demo, with one command"):
        engine.shell(demo, clone, **ports)
        visitor = Visitor(f"http://127.0.0.1:{ports['PORT']}")
        visitor.wait_for_page()
        visitor.run_batch()
        engine.run("make", "down", "STACK=deploy/compose/compose.demo.yaml", cwd=clone, **ports)
    compose = clone / "deploy/compose/compose.yaml"
    compose.write_text(
        compose.read_text().replace("SECRET_KEY_FILE:", 'DEMO_PREDICTOR: "true"\n      SECRET_KEY_FILE:')
    )
    with report.step("compose", "from clone to first page, by TLS") as line:
        started = time.monotonic()
        engine.shell(up.replace("make", "make VERSION=1"), clone, **ports)
        made = clone / "deploy/compose/secrets"
        key = (made / "admin_api_key").read_text().strip()
        site = Visitor(f"https://127.0.0.1:{ports['HTTPS_PORT']}", made / "tls_certificate", key)
        site.wait_for_page()
        line.see(f"{time.monotonic() - started:.0f} s")
    batch = visit(report, engine, site)
    replaced(report, engine, clone, site, restart, ports)
    changed(report, engine, clone, site, (update, back, copy), batch, ports)
    container_monitoring.prove_part(report, engine, clone, site, ports)
    removed(report, engine, clone, ports)


def visit(report: Report, engine: Engine, site: Visitor) -> str:
    """Do by the proxy what a visitor does, and what he may not."""
    with report.step("compose", "a batch, a websocket, no /metrics, nothing else exposed") as line:
        batch = site.run_batch()
        site.call_by_websocket()
        assert site.get("/metrics")[0] == 403
        assert engine.run("podman", "port", APP, check=False) == ""
        assert len(engine.run("podman", "port", PROXY).splitlines()) == 2
        engine.run("podman", "healthcheck", "run", APP)
        engine.run("podman", "healthcheck", "run", PROXY)
        status = {name: engine.run("podman", "exec", name, "cat", "/proc/1/status") for name in (APP, PROXY)}
        assert "CapBnd:\t" + "0" * 16 in status[APP]
        assert "CapBnd:\t0000000000000400" in status[PROXY]  # NET_BIND_SERVICE
        assert all("NoNewPrivs:\t1" in text and "Uid:\t10001" in text for text in status.values())
        line.see("all through the proxy; both are healthy")
        return batch


def replaced(report: Report, engine: Engine, clone: Path, site: Visitor, restart: str, ports: dict[str, str]) -> None:
    """Restart the service while requests arrive, and then all as the document tells."""
    with report.step("compose", "the service is replaced under requests") as line, Stream(site) as stream:
        engine.run("podman-compose", "-f", "deploy/compose/compose.yaml", "restart", "app", cwd=clone, **ports)
        site.wait_for_page()
        time.sleep(1)
        stream.on = False
        stream.thread.join()
        assert set(stream.answers) == {200}, stream.answers
        line.see(f"{len(stream.answers)} requests, none failed, the longest waited {stream.longest:.1f} s")
        engine.shell(restart, clone, **ports)
        site.wait_for_page()


def changed(
    report: Report, engine: Engine, clone: Path, site: Visitor, typed: tuple[str, str, str], batch: str, ports: dict
) -> None:
    """Update, go back to the image of before, and then to the copy of the database."""
    update, back, copy = typed
    with report.step("compose", "update and rollback") as line:
        engine.shell(update, clone, **ports)
        site.wait_for_page()
        assert engine.inspect(APP, ".ImageName").endswith(":2")
        later = site.run_batch()
        engine.shell(back, clone, **ports)
        site.wait_for_page()
        assert engine.inspect(APP, ".ImageName").endswith(":1")
        assert (site.done(batch), site.done(later)) == (len(ROWS), len(ROWS))
        engine.run("make", "down", cwd=clone, **ports)
        engine.shell(copy, clone, **ports)
        engine.run("make", "up", "VERSION=1", cwd=clone, **ports)
        site.wait_for_page()
        assert (site.done(batch), site.done(later)) == (len(ROWS), 0)
        line.see("the data stayed, and went back with the copy")


def removed(report: Report, engine: Engine, clone: Path, ports: dict[str, str]) -> None:
    """Migrate, stop the service, and clean."""
    with report.step("compose", "make migrate, stop, make clean") as line:
        assert "up to date" in engine.run("make", "migrate", "VERSION=1", cwd=clone, **ports)
        engine.run("podman", "stop", APP)
        assert engine.inspect(APP, ".State.ExitCode") == "0"
        secret = (clone / "deploy/compose/secrets/secret_key").read_text()
        engine.run("podman", "rm", "-f", "-t", "0", "hook")
        engine.run(
            "make", "clean", cwd=clone, STACK=f"deploy/compose/compose.yaml -f {container_monitoring.FILE}", **ports
        )
        assert engine.run("podman", "ps", "-aq") == ""
        assert f"{SLUG}_data" in engine.run("podman", "volume", "ls", "-q")
        engine.run("make", "secrets", cwd=clone)
        assert (clone / "deploy/compose/secrets/secret_key").read_text() == secret
        line.see("containers are gone, the data and the secrets are not")
