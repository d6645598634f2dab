"""The compose files, their secrets and their proxy; `make deploy-proof` brings them up."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from chassis.settings import Settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/compose"
FILES = ["compose.yaml", "compose.demo.yaml", "compose.monitoring.yaml"]
NAMES = ["secret_key", "admin_api_key", "openrouter_api_key", "tls_certificate", "tls_key"]
MONITORING = ["grafana_admin_password", "mail_password"]


def load(name):
    return YAML(typ="safe").load(FOLDER / name)


def seconds(text):
    assert text.endswith("s")
    return float(text[:-1])


@pytest.mark.parametrize("name", FILES)
def test_a_file_fits_the_schema(name):
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    found = subprocess.run([*command, FOLDER / name], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("name", FILES)
def test_every_service_is_held_tight_and_gets_the_time_to_drain(name):
    settings = Settings()
    drain = settings.gunicorn_graceful_timeout_seconds + settings.drain_delay_seconds
    for service in load(name)["services"].values():
        if "image" not in service:  # more for one of compose.yaml
            continue
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]
        assert "privileged" not in service
    for service in (one for one in load(name)["services"].values() if "build" in one):
        assert seconds(service["stop_grace_period"]) > drain + 5


def test_nothing_but_the_proxy_is_exposed():
    services = load("compose.yaml")["services"]
    assert {name for name, service in services.items() if "ports" in service} == {"proxy"}
    watching = load("compose.monitoring.yaml")["services"]
    assert {name: s["ports"] for name, s in watching.items() if "ports" in s} == {
        "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"]
    }
    assert all("network_mode" not in service for service in services.values())
    (published,) = load("compose.demo.yaml")["services"]["app"]["ports"]
    assert published.startswith("127.0.0.1:")


def test_secrets_come_as_files():
    compose = load("compose.yaml")
    app = compose["services"]["app"]
    given = {name: value for name, value in app["environment"].items() if name.endswith(("_KEY_FILE", "_KEY"))}
    assert given == {f"{name.upper()}_FILE": f"/run/secrets/{name}" for name in app["secrets"]}
    assert compose["secrets"] == {name: {"file": f"./secrets/{name}"} for name in NAMES}


def test_the_secrets_are_made_once_with_the_right_permissions(tool, tmp_path):
    tool("openssl")
    script = tmp_path / "make_secrets.sh"
    script.write_bytes((FOLDER / "make_secrets.sh").read_bytes())
    subprocess.run(["sh", script], env={"PATH": "/usr/bin:/bin", "TLS_NAME": "app.example.org"}, check=True)
    folder = tmp_path / "secrets"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(first) == sorted([*NAMES, *MONITORING])
    assert len(first["secret_key"].strip()) == 64
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"444"}
    shown = ["openssl", "x509", "-in", folder / "tls_certificate", "-noout", "-ext", "subjectAltName"]
    assert "DNS:app.example.org" in subprocess.run(shown, capture_output=True, text=True, check=True).stdout
    subprocess.run(["sh", script], env={"PATH": "/usr/bin:/bin"}, check=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_backups_from_outside_are_asked_for_and_take_the_place_of_the_services_own():
    services = load("compose.yaml")["services"]
    app, backup = services["app"], services["backup"]
    assert backup["profiles"] == ["backup"]
    assert {name: backup[name] for name in ("image", "volumes", "environment", "secrets")} == {
        name: app[name] for name in ("image", "volumes", "environment", "secrets")
    }
    for name in ("BACKUP_SCHEDULE", "BACKUP_DRILL_SCHEDULE"):
        default = Settings.model_fields[name.lower()].default
        assert app["environment"][name] == f"${{{name}:-{default}}}"


def test_workers_are_asked_for_and_run_as_the_service_does():
    services = load("compose.yaml")["services"]
    app, worker = services["app"], services["worker"]
    assert worker["profiles"] == ["worker"]
    assert worker["command"] == ["python", "-m", "chassis.serving.worker"]
    assert "container_name" not in worker
    assert "ports" not in worker
    for name in ("image", "volumes", "environment", "secrets", "stop_grace_period", "restart"):
        assert worker[name] == app[name]
    default = Settings.model_fields["jobs_embedded"].default
    assert app["environment"]["JOBS_EMBEDDED"] == f"${{JOBS_EMBEDDED:-{str(default).lower()}}}"


def test_a_backup_waits_for_its_hour():
    script = load("compose.yaml")["services"]["backup"]["command"][-1].replace("$$", "$")
    waits = (
        script.replace("${BACKUP_EVERY_SECONDS:-86400}", "86400").replace("while sleep", "echo").partition("; do")[0]
    )
    for clock, wait in (("01:59:00", 60), ("02:00:00", 86400), ("14:00:00", 43200)):
        stamp = subprocess.run(
            ["date", "-u", "-d", f"2026-11-21 {clock}", "+%s"], capture_output=True, text=True
        ).stdout
        done = subprocess.run(["sh", "-c", waits.replace("$(date +%s)", stamp.strip())], capture_output=True, text=True)
        assert int(done.stdout) == wait, done


def test_each_image_is_pinned_and_each_file_of_ours_that_is_mounted_is_there():
    services = load("compose.monitoring.yaml")["services"]
    assert all(re.search(r":v?\d+\.\d+\.\d+", one["image"]) for one in services.values() if "image" in one)
    mounts = [mount.split(":") for one in services.values() for mount in one.get("volumes", [])]
    files = [
        (source, options) for source, _, *options in mounts if source.startswith(".") and "/secrets/" not in source
    ]
    assert len(files) == 10
    assert all((FOLDER / source).is_file() and options == ["ro"] for source, options in files)


def test_what_the_monitoring_calls_by_name_is_there():
    compose = load("compose.monitoring.yaml")
    names = set(compose["services"])
    config = YAML(typ="safe").load(FOLDER / "prometheus.yml")
    (scrape,) = config["scrape_configs"]
    assert scrape["static_configs"] == [{"targets": ["app:5000"]}]
    (told,) = config["alerting"]["alertmanagers"]
    urls = [value for one in compose["services"].values() for value in one.get("environment", {}).values()]
    hosts = [urlsplit(url).hostname for url in urls if url.startswith("http")]
    assert {*hosts, told["static_configs"][0]["targets"][0].split(":")[0]} <= names
    in_both = {
        name for name, one in compose["services"].items() if {"default", "monitoring"} <= set(one.get("networks", []))
    }
    assert in_both == {"prometheus"}
    shipped = YAML(typ="safe").load(ROOT / "deploy/prometheus/prometheus.yml")
    assert (scrape["job_name"], config["rule_files"]) == (
        shipped["scrape_configs"][0]["job_name"],
        shipped["rule_files"],
    )


def test_the_script_is_sound_shell(tool):
    found = subprocess.run([tool("shellcheck"), FOLDER / "make_secrets.sh"], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
