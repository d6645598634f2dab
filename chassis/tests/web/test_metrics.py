"""/metrics: who may read it, and whether Prometheus can."""

import hashlib
import subprocess
import sys
import time
from ipaddress import ip_network
from pathlib import Path

import pytest
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from chassis import boot
from chassis.db import db
from chassis.errors import BootError
from chassis.settings import Settings
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import LEAN, migrated_database
from chassis.wiring import settings_of, wiring_of

BUILD = {"service", "version", "chassis", "python", "async_mode"}
ROOT = Path(__file__).resolve().parents[3]
BEGIN = """
import sys
import time
from pydantic import SecretStr
from chassis import boot
from app import create_app
from chassis.db import db
from chassis.observability import logs, metrics
from chassis.settings import Settings
url, snapshot, sha256 = (SecretStr("sqlite:///" + sys.argv[1] + "/app.db"), SecretStr(sys.argv[2]), sys.argv[3])
settings = Settings(app_env="test", log_level="ERROR", database_url=url, database_snapshot_url=snapshot,
                    database_snapshot_sha256=sha256)
logs.configure_logging(settings)
boot.boot(settings)
app = create_app(settings)
client = app.test_client()
"""
TOUCH_ALL = """
from prometheus_client import Counter, Gauge, Histogram
for metric in vars(metrics).values():
    if isinstance(metric, (Counter, Gauge, Histogram)):
        child = metric.labels(*["x"] * len(metric._labelnames)) if metric._labelnames else metric
        touch = {Counter: "inc", Gauge: "set", Histogram: "observe"}[type(metric)]
        getattr(child, touch)(1)
"""
ADD_JOBS = """
from chassis.jobs.tables import jobs
then = time.time() - 60
row = {"kind": "mail", "payload": {}, "message": "", "cancel_requested": False}
row |= dict.fromkeys(("priority", "attempt", "done", "total", "revision"), 0)
row |= dict.fromkeys(("not_before", "created_at", "queued_at", "updated_at"), then)
rows = [{**row, "id": str(n), "state": state} for n, state in enumerate(["queued", "queued", "failed"])]
db.write(lambda conn: conn.execute(jobs.insert(), rows))
"""
FAIL_TO_START = """
from sqlalchemy import text
from chassis.errors import BootError
def exchange(version):
    before = db.read(lambda conn: conn.execute(text("SELECT version_num FROM alembic_version")).scalar())
    db.write(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": version}))
    return before
known = exchange("9999")
try:
    boot.boot(settings)
except BootError:
    db.open(settings)
    exchange(known)
"""
BETWEEN = "# the next scrape\n"
SCRAPE = f'print(client.get("/metrics").text + {BETWEEN!r}, end="")\n'
END = "db.close()\n"


def run(code: str, folder: Path, snapshot: Path | None = None, **env: str) -> list[str]:
    """Boot and make the application in a process of its own, run the code there, and return its scrapes."""
    fetched = (snapshot.as_uri(), hashlib.sha256(snapshot.read_bytes()).hexdigest()) if snapshot else ("", "")
    command = [sys.executable, "-c", BEGIN + code + END, str(folder), *fetched]
    env = {**LEAN, "APP_ENV": "test", **env}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(BETWEEN)[:-1]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return two scrapes of a process with a few jobs: of what it tells by itself, and of every metric there is."""
    return run(ADD_JOBS + SCRAPE + TOUCH_ALL + SCRAPE, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def fetched(tmp_path_factory):
    """Return two scrapes of a process that began with a snapshot: after that, and after a start that failed."""
    folder = tmp_path_factory.mktemp("fetched")
    snapshot = folder / "snapshot.db"
    snapshot.write_bytes(migrated_database())
    return run(SCRAPE + FAIL_TO_START + SCRAPE, folder, snapshot)


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_may_read(small, address):
    answer = small.client.get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 200
    assert answer.content_type == CONTENT_TYPE_LATEST


@pytest.mark.parametrize("address", ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", ""])
def test_others_may_not(small, address):
    answer = small.client.get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 403
    assert answer.get_json()["error"]["code"] == "forbidden"
    assert "app_build_info" not in answer.text


def test_a_forwarded_address_does_not_open_the_door(small):
    answer = small.client.get(
        "/metrics", environ_base={"REMOTE_ADDR": "10.0.0.1"}, headers={"X-Forwarded-For": "127.0.0.1"}
    )
    assert answer.status_code == 403


def test_the_networks_of_the_setting_may_read(small):
    settings = settings_of(small.app)
    wiring_of(small.app).settings = settings.model_copy(update={"metrics_allow": (ip_network("10.0.0.0/8"),)})
    assert small.client.get("/metrics", environ_base={"REMOTE_ADDR": "10.2.3.4"}).status_code == 200
    assert small.client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 403


def test_a_scrape_asks_for_readiness_and_survives_a_broken_database(small):
    def fails() -> str | None:
        raise OSError("gone")

    small.checks["database"] = fails
    answer = small.client.get("/metrics")
    assert answer.status_code == 200
    assert samples(answer.text)["app_ready"][0][1] == 0


def test_promtool_accepts_every_metric(tool, plain):
    promtool, (_, text) = tool("promtool", "prometheus"), plain
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert len(samples(text)) > 40


def test_what_the_database_knows_is_asked_at_the_scrape(plain):
    found = samples(plain[0])
    assert sorted((labels["state"], value) for labels, value in found["app_jobs"]) == [("failed", 1), ("queued", 2)]
    ((labels, age),) = found["app_job_queue_age_seconds"]
    assert labels == {"kind": "mail"}
    assert 59 < age < 120
    assert found["app_database_size_bytes"][0][1] >= 4096


def test_without_a_snapshot_there_is_no_age_of_one(plain):
    found = samples(plain[0])
    assert found["app_snapshot_info"] == [({"outcome": "off"}, 1.0)]
    assert "app_snapshot_age_seconds" not in found


def test_the_snapshot_s_outcome_age_and_duration_are_told(fetched):
    found = samples(fetched[0])
    assert found["app_snapshot_info"] == [({"outcome": "installed"}, 1.0)]
    assert 0 <= found["app_snapshot_age_seconds"][0][1] < 60
    assert 0 <= found["app_snapshot_duration_seconds"][0][1] < 60


def test_the_build_is_told(plain):
    ((labels, value),) = samples(plain[0])["app_build_info"]
    assert value == 1
    assert set(labels) == BUILD
    assert labels["python"] == ".".join(map(str, sys.version_info[:3]))


def test_several_workers_count_together(tmp_path):
    folder = tmp_path / "counts"
    folder.mkdir()
    visit = 'client.get("/livez"); client.get("/livez")\n'
    env = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    run(visit, tmp_path, **env)
    (text,) = run(visit + SCRAPE, tmp_path, **env)
    found = samples(text)
    counted = [v for labels, v in found["http_requests_total"] if labels["endpoint"] == "health.livez"]
    assert counted == [4.0]
    assert [set(labels) for labels, _ in found["app_build_info"]] == [
        {"service", "version", "chassis", "python", "async_mode"}
    ]
    assert "app_database_size_bytes" in found


def test_workers_without_a_common_folder_still_answer(small):
    settings = settings_of(small.app)
    wiring_of(small.app).settings = settings.model_copy(update={"gunicorn_workers": 2})
    assert small.client.get("/metrics").status_code == 200


def test_a_start_that_failed_is_told_by_who_serves(fetched):
    assert "app_boot_failed_timestamp_seconds" not in samples(fetched[0])
    found = samples(fetched[1])
    ((labels, at),) = found["app_boot_failed_timestamp_seconds"]
    assert labels == {"step": "migrate"}
    assert time.time() - LIMIT_SECONDS < at <= time.time()
    assert 0 < found["app_disk_free_bytes"][0][1] < found["app_disk_size_bytes"][0][1]


def test_a_failed_fetch_into_an_empty_place_leaves_it_empty(tmp_path):
    url, snapshot = SecretStr(f"sqlite:///{tmp_path}/new.db"), SecretStr("file:///no.db")
    with pytest.raises(BootError):
        boot.boot(Settings(app_env="test", database_url=url, database_snapshot_url=snapshot))
    db.close()
    assert not (tmp_path / "new.db").exists()
