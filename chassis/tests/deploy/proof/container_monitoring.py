"""What the documents add to the stack of compose: backups from outside, figures, alerts and logs.

Prometheus and Alertmanager are Debian's, under the names of the official images. Loki, Vector and Grafana are not to
be had here: what stands under their names only waits, so that mounts, users and networks are those of the file.
"""

import json
import re
import shutil
from pathlib import Path

from chassis.tests.deploy.proof.container_client import Visitor, until
from chassis.tests.deploy.proof.container_engine import Engine
from chassis.tests.deploy.proof.machine import needs
from chassis.tests.deploy.proof.report import Report
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

FILE = "deploy/compose/compose.monitoring.yaml"
TEMPLATES = [f"/usr/share/prometheus/alertmanager/{name}.tmpl" for name in ("default", "email")]  # else built in
PROGRAMS = {
    "prometheus": {"/usr/bin/prometheus": "/bin/prometheus"},
    "alertmanager": {
        "/usr/bin/prometheus-alertmanager": "/bin/alertmanager",
        **dict(zip(TEMPLATES, TEMPLATES, strict=True)),
    },
}
# user, folder of its volume, what runs
STAND_INS = {
    "prometheus": (65534, "/prometheus", '["/bin/prometheus"]'),
    "alertmanager": (65534, "/alertmanager", '["/bin/alertmanager"]'),
    "loki": (10001, "/loki", '["/bin/sh", "-c", "exec sleep infinity"]'),
    "vector": (10001, "/var/lib/vector", '["/bin/sh", "-c", "exec sleep infinity"]'),
    "grafana": (472, "/var/lib/grafana", '["/bin/sh", "-c", "exec sleep infinity"]'),
}
HOOK = """
import http.server
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("", 9000), Hook).serve_forever()
"""
QUICKER = {  # each of these would make the proof wait
    "deploy/compose/prometheus.yml": {"interval: 15s": "interval: 1s"},
    "deploy/prometheus/alerts.yml": {"== 0\n        for: 1m": "== 0\n        for: 2s"},
    "deploy/prometheus/alertmanager.yml": {
        "group_wait: 30s": "group_wait: 1s",
        "group_interval: 5m": "group_interval: 2s",
        "https://pager.example.org/hook": "http://hook:9000/",
    },
}


def name(service: str) -> str:
    """Return the container of a service."""
    return f"{SLUG}_{service}_1"


def prove_part(report: Report, engine: Engine, clone: Path, site: Visitor, ports: dict[str, str]) -> None:
    """Turn on one after the other, as the document says."""
    back_up(report, engine, clone, site, ports)
    with report.step("compose", "monitoring, with one file more") as line:
        needs("prometheus", "prometheus-alertmanager")
        stand_in(engine, clone)
        for file, changes in QUICKER.items():
            for old, new in changes.items():
                assert old in (clone / file).read_text(), (file, old)
                (clone / file).write_text((clone / file).read_text().replace(old, new))
        (up,) = blocks("chassis/docs/operations.md", "Watching it with Compose")
        engine.shell(up.replace("make up", "make up VERSION=1"), clone, LOG_ROTATE_BYTES="20000", **ports)
        site.wait_for_page()
        line.see(f"{', '.join(STAND_INS)} run")
        assert engine.run("podman", "port", name("grafana")) == f"3000/tcp -> 127.0.0.1:{ports['GRAFANA_PORT']}"
        assert not [one for one in ("prometheus", "alertmanager", "loki", "vector", "app") if published(engine, one)]
        line.see("Grafana's port alone is published, on 127.0.0.1")
    watch(report, engine, site)
    log(report, engine, site)


def back_up(report: Report, engine: Engine, clone: Path, site: Visitor, ports: dict[str, str]) -> None:
    """Turn the container for backups on, let it make some, and end it."""
    with report.step("compose", "backups by a container of their own") as line:
        (block,) = [one for one in blocks("docs/deploy.md", "Backups from outside") if "COMPOSE_PROFILES" in one]
        engine.shell(block.replace("make up", "make up VERSION=1"), clone, BACKUP_EVERY_SECONDS="5", **ports)
        site.wait_for_page()
        until(lambda: engine.run("podman", "logs", name("backup")).count("made /data/backups/") >= 2, 60, "no backups")
        environment = engine.run("podman", "exec", name("app"), "env")
        assert "BACKUP_SCHEDULE=off" in environment
        assert "is valid" in engine.run("podman", "exec", name("backup"), "python", "-m", "flask", "db", "verify")
        status = engine.run("podman", "exec", name("backup"), "cat", "/proc/1/status")
        assert "CapBnd:\t" + "0" * 16 in status
        engine.run("podman", "stop", name("backup"))
        line.see("two made by its clock, one by hand, the newest proven; the service makes none")


def stand_in(engine: Engine, clone: Path) -> None:
    """Make an image for each service of the file, with its user and the folder of its volume."""
    for service, (user, folder, command) in STAND_INS.items():
        (image,) = re.findall(rf"^  {service}:\n    image: (\S+)$", (clone / FILE).read_text(), re.MULTILINE)
        context = engine.folder / service
        context.mkdir()
        copied = ""
        for source, target in PROGRAMS.get(service, {}).items():
            shutil.copy(source, context)
            copied += f"COPY {Path(source).name} {target}\n"
        (context / "Containerfile").write_text(
            f"FROM {engine.images[0]}\n{copied}RUN install -d -o {user} -g {user} {folder}\n"
            f"USER {user}\nENTRYPOINT {command}\n"
        )
        engine.run("podman", "build", "-q", "-t", f"docker.io/{image}", context)


def published(engine: Engine, service: str) -> str:
    """Return the ports of a service that can be reached from outside."""
    return engine.run("podman", "port", name(service), check=False)


def watch(report: Report, engine: Engine, site: Visitor) -> None:
    """See Prometheus scrape the service, and the stop of it reach whom Alertmanager calls."""
    with report.step("compose", "Prometheus scrapes, and an alert is delivered") as line:
        hook = ("--network", f"{SLUG}_monitoring", "--network-alias", "hook", "--name", "hook")
        engine.run("podman", "run", "-d", *hook, engine.images[0], "python", "-u", "-c", HOOK)
        until(lambda: value(engine, f'up{{job="{SLUG}"}}') == "1", 60, "nothing is scraped")
        assert value(engine, "count(app_ready)") == "1"
        assert site.get("/metrics")[0] == 403
        line.see("up 1, and /metrics stays closed outside")
        engine.run("podman", "stop", name("app"))
        until(lambda: ("InstanceDown", "firing") in told(engine), 120, "nobody was told")
        engine.run("podman", "start", name("app"))
        site.wait_for_page()
        until(lambda: ("InstanceDown", "resolved") in told(engine), 120, "nobody was told of the end")
        line.see("InstanceDown told to a webhook, and its end")


def value(engine: Engine, expression: str) -> str:
    """Return what Prometheus answers, "" for nothing."""
    url = f"http://127.0.0.1:9090/api/v1/query?query={expression}"
    said = engine.run("podman", "exec", name("prometheus"), "wget", "-qO-", url, check=False)
    found = json.loads(said)["data"]["result"] if said else []
    return found[0]["value"][1] if found else ""


def told(engine: Engine) -> list[tuple[str, str]]:
    """Return the alerts that reached the webhook, and their states."""
    lines = [line for line in engine.run("podman", "logs", "hook").splitlines() if line.startswith("{")]
    return [(alert["labels"]["alertname"], alert["status"]) for line in lines for alert in json.loads(line)["alerts"]]


def log(report: Report, engine: Engine, site: Visitor) -> None:
    """See that the shipper's user may read all lines, also those of before a rotation, and change none."""
    with report.step("compose", "the log's lines where Vector reads them") as line:
        shipper = ("podman", "exec", name("vector"))
        until(lambda: site.get("/nothing") and "app.log.1" in engine.run(*shipper, "ls", "/logs"), 60, "no rotation")
        new = (*shipper, "cat", "/logs/app.log")
        until(lambda: site.get("/nothing") and engine.run(*new, check=False), 60, "nothing in the new file")
        lines = engine.run(*shipper, "sh", "-c", "cat /logs/app.log.1 /logs/app.log").splitlines()
        assert all({"timestamp", "level", "event"} <= set(json.loads(one)) for one in lines)
        assert engine.run(*shipper, "sh", "-c", "touch /logs/x 2>&1 || true").endswith("Read-only file system")
        line.see(f"{len(lines)} lines over a rotation, each JSON with its time and level; read-only")
        assert engine.run("podman", "exec", name("grafana"), "cat", "/run/secrets/grafana_admin_password")
