"""The overlays with several instances, as kubectl renders them, and what no schema knows."""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from chassis.settings import Settings
from chassis.tests.conftest import ROOT
from chassis.tests.deploy.ours import needs
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

FOLDER = ROOT / "deploy/kubernetes"
pytestmark = needs("deploy/kubernetes/scaled")
OVERLAYS = ["scaled", pytest.param("autoscaling", marks=needs("deploy/kubernetes/autoscaling"))]


@functools.cache
def text_of(kubectl, overlay, folder=FOLDER):
    """Return an overlay as kubectl renders it."""
    found = subprocess.run([kubectl, "kustomize", folder / overlay], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.fixture
def rendered(tool):
    """Return a function that gives the objects of an overlay by kind and name."""

    def render(overlay):
        text = text_of(tool("kubectl", "kubernetes-client"), overlay)
        return {(one["kind"], one["metadata"]["name"]): one for one in YAML(typ="safe").load_all(text)}

    return render


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_fits_its_schemas_strictly(tool, tmp_path, overlay):
    (tmp_path / "all.yaml").write_text(text_of(tool("kubectl", "kubernetes-client"), overlay))
    command = [Path(sys.executable).parent / "kubernetes-validate", "--strict", tmp_path / "all.yaml"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def pod(found, kind="Deployment", name=SLUG):
    return found[kind, name]["spec"]["template"]["spec"]


def from_secret(container):
    return {one["name"]: one["valueFrom"]["secretKeyRef"] for one in container["env"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_instances_share_postgresql_and_redis_and_have_no_disk(rendered, overlay):
    found = rendered(overlay)
    (container,) = pod(found)["containers"]
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"} <= set(from_secret(container))
    assert not [name for kind, name in found if kind == "PersistentVolumeClaim"]
    assert {tuple(set(volume) - {"name"}) for volume in pod(found)["volumes"]} == {("emptyDir",)}
    assert all(one["metadata"].get("namespace") == SLUG for (kind, _), one in found.items() if kind != "Namespace")
    ((_, values),) = [(name, one["data"]) for (kind, name), one in found.items() if kind == "ConfigMap"]
    assert {name.lower() for name in values} <= set(Settings.model_fields)
    assert values["BACKUP_SCHEDULE"] == "off"
    patience = float(values["DRAIN_DELAY_SECONDS"]) + Settings().gunicorn_graceful_timeout_seconds
    assert pod(found)["terminationGracePeriodSeconds"] > patience + 5


def test_three_instances_are_replaced_without_one_missing(rendered):
    found = rendered("scaled")
    spec = found["Deployment", SLUG]["spec"]
    assert spec["replicas"] == 3
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    budget = found["PodDisruptionBudget", SLUG]["spec"]
    assert (budget["maxUnavailable"], budget["selector"]) == (1, spec["selector"])
    (spread,) = pod(found)["topologySpreadConstraints"]
    assert spread["labelSelector"] == spec["selector"]


def test_the_migration_is_of_the_same_image_and_needs_nothing_that_comes_after_it(rendered):
    found = rendered("scaled")
    name = f"{SLUG}-migration"
    (container,), (service,) = pod(found, "Job", name)["containers"], pod(found)["containers"]
    assert container["image"] == service["image"]
    assert container["command"] == ["python", "-m", "flask", "db", "upgrade"]
    assert container["securityContext"] == service["securityContext"]
    assert "envFrom" not in container
    assert from_secret(container).items() <= from_secret(service).items()
    labels = found["Job", name]["spec"]["template"]["metadata"]["labels"]
    assert labels == found["Job", name]["metadata"]["labels"] == {"app.kubernetes.io/name": name}
    typed = "\n".join(blocks("docs/deploy.md", "Kubernetes, several instances"))
    assert f"-l app.kubernetes.io/name={name}" in typed
    assert typed.index("condition=complete") < typed.index("rollout status")


def test_the_secret_of_the_document_has_every_key(rendered):
    (container,) = pod(rendered("scaled"))["containers"]
    typed = "\n".join(blocks("docs/deploy.md", "Kubernetes, several instances"))
    for reference in from_secret(container).values():
        assert f"--from-literal={reference['key']}=" in typed


def test_a_client_stays_with_its_instance(rendered):
    notes = rendered("scaled")["Ingress", SLUG]["metadata"]["annotations"]
    prefix = "nginx.ingress.kubernetes.io/"
    assert notes[f"{prefix}affinity"] == "cookie"
    assert int(notes[f"{prefix}proxy-read-timeout"]) > 45  # that of the overlay below is still there


def test_the_databases_are_reached_by_both_and_the_migration_by_nobody(rendered):
    found = rendered("scaled")
    policy = found["NetworkPolicy", f"{SLUG}-databases"]["spec"]
    (names,) = policy["podSelector"]["matchExpressions"]
    assert names["values"] == [SLUG, f"{SLUG}-migration", f"{SLUG}-worker"]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 5432, 6379}
    assert found["NetworkPolicy", f"{SLUG}-migration"]["spec"]["ingress"] == []


@needs("deploy/kubernetes/worker")
@needs("deploy/kubernetes/backup")
def test_components_of_one_instance_follow_to_several(tool, tmp_path):
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    with (tmp_path / "kubernetes/production/kustomization.yaml").open("a") as file:
        file.write("components: [../worker, ../backup]\n")
    text = text_of(tool("kubectl", "kubernetes-client"), "scaled", tmp_path / "kubernetes")
    assert "persistentVolumeClaim" not in text
    found = {(one["kind"], one["metadata"]["name"]): one for one in YAML(typ="safe").load_all(text)}
    assert not [name for kind, name in found if kind == "CronJob"]
    worker, (container,) = pod(found, name=f"{SLUG}-worker"), pod(found, name=f"{SLUG}-worker")["containers"]
    assert "affinity" not in worker
    (service,) = pod(found)["containers"]
    assert from_secret(container) == from_secret(service)
    assert container["image"] == service["image"]
    assert container["envFrom"] == service["envFrom"]


@needs("deploy/kubernetes/autoscaling")
def test_the_autoscaler_counts_what_the_service_measures_and_alone_says_how_many(rendered):
    found = rendered("autoscaling")
    assert "replicas" not in found["Deployment", SLUG]["spec"]
    spec = found["HorizontalPodAutoscaler", SLUG]["spec"]
    assert spec["scaleTargetRef"]["name"] == SLUG
    (metric,) = spec["metrics"]
    target = float(metric["pods"]["target"]["averageValue"])
    lost = spec["minReplicas"] / (spec["minReplicas"] - 1)
    assert target * lost < Settings().gunicorn_worker_connections
    rule = "\n".join(blocks("docs/deploy.md", "Kubernetes, several instances"))
    assert metric["pods"]["metric"]["name"] in rule
