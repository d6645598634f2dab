"""The manifests against the schemas of Kubernetes, and what no schema knows; `make deploy-proof` plays them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from chassis.settings import Settings
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

FOLDER = Path(__file__).parents[3] / "deploy/kubernetes"
NO_MANIFESTS = ("kustomization.yaml", ".patch.yaml")
MANIFESTS = sorted(path for path in FOLDER.rglob("*.yaml") if not path.name.endswith(NO_MANIFESTS))
OWN_KINDS = {"ServiceMonitor"}


def documents(path):
    return list(YAML(typ="safe").load_all(path))


def named(kind):
    return [document for path in MANIFESTS for document in documents(path) if document["kind"] == kind]


def pod():
    return named("Deployment")[0]["spec"]["template"]["spec"]


def template(kind, name=None):
    (spec,) = [document["spec"] for document in named(kind) if name in (None, document["metadata"]["name"])]
    return (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]


@pytest.fixture
def rendered(tool):
    """Return a function that renders an overlay."""

    def render(name):
        command = [tool("kubectl", "kubernetes-client"), "kustomize", name]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr
        return list(YAML(typ="safe").load_all(found.stdout))

    return render


def test_every_manifest_fits_its_schema_strictly():
    known = [path for path in MANIFESTS if OWN_KINDS.isdisjoint(d["kind"] for d in documents(path))]
    command = [Path(sys.executable).parent / "kubernetes-validate", "--strict", *known]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stderr.count(" passed ") + found.stdout.count(" passed ") == sum(len(documents(p)) for p in known)
    assert len(MANIFESTS) - len(known) == len(OWN_KINDS)


def test_every_file_belongs_to_one_kustomization():
    for file in FOLDER.rglob("kustomization.yaml"):
        (kustomization,) = documents(file)
        resources = [file.parent / name for name in kustomization["resources"]]
        assert all(path.exists() for path in resources)
        assert {path for path in MANIFESTS if path.parent == file.parent} == {p for p in resources if p.is_file()}


def test_the_service_monitor_reads_what_the_service_offers():
    (monitor,), service = named("ServiceMonitor"), named("Service")[0]
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["spec"]["selector"]["matchLabels"] == service["metadata"]["labels"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == (service["spec"]["ports"][0]["name"], "/metrics")


@pytest.mark.parametrize(
    ("kind", "name"), [("Deployment", SLUG), ("Deployment", f"{SLUG}-worker"), ("CronJob", f"{SLUG}-backup")]
)
def test_a_pod_runs_with_no_more_rights_than_it_needs(kind, name):
    pod = template(kind, name)["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    user = re.search(r"^USER (\d+):(\d+)$", (FOLDER.parents[1] / "Dockerfile").read_text(), re.MULTILINE)
    assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user.groups()
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["resources"]["limits"]["memory"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}


@pytest.mark.parametrize(("kind", "name"), [("Deployment", f"{SLUG}-worker"), ("CronJob", f"{SLUG}-backup")])
def test_what_runs_beside_the_service_is_where_the_volume_is_and_gets_no_requests(kind, name):
    service, backup = template("Deployment", SLUG), template(kind, name)
    assert service["metadata"]["labels"] != backup["metadata"]["labels"]
    (term,) = backup["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"]["matchLabels"] == service["metadata"]["labels"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert backup["spec"]["volumes"] == service["spec"]["volumes"]
    assert backup["spec"]["containers"][0]["envFrom"] == service["spec"]["containers"][0]["envFrom"]
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in named("NetworkPolicy")}
    policy = policies[name]
    assert (policy["podSelector"]["matchLabels"], policy["ingress"]) == (backup["metadata"]["labels"], [])
    assert policy["egress"] == policies[SLUG]["egress"]


def test_probes_ask_the_right_page_and_give_it_time():
    (container,) = pod()["containers"]
    pages = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert pages == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    startup, liveness = container["startupProbe"], container["livenessProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 900
    assert liveness["periodSeconds"] * liveness["failureThreshold"] > Settings().gunicorn_timeout_seconds


def test_a_pod_has_the_time_to_drain_and_the_volume_for_itself():
    settings, deployment = Settings(), named("Deployment")[0]["spec"]
    drain = settings.gunicorn_graceful_timeout_seconds + settings.drain_delay_seconds
    assert pod()["terminationGracePeriodSeconds"] > drain + 5
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    (claim,) = named("PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert claim["metadata"]["name"] in [v.get("persistentVolumeClaim", {}).get("claimName") for v in pod()["volumes"]]


def test_the_ingress_outlives_a_ping_and_refuses_metrics():
    (ingress,), settings = named("Ingress"), Settings()
    notes = ingress["metadata"]["annotations"]
    patience = settings.socket_ping_interval_seconds + settings.socket_ping_timeout_seconds
    for name in ("proxy-read-timeout", "proxy-send-timeout"):
        assert int(notes[f"nginx.ingress.kubernetes.io/{name}"]) > patience
    assert int(notes["nginx.ingress.kubernetes.io/proxy-body-size"].removesuffix("m")) * 1e6 >= settings.max_files_body
    (rule,) = ingress["spec"]["rules"]
    services = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert services == {"/": SLUG, "/metrics": "nothing"}
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]


def test_the_network_is_closed_but_for_what_is_named():
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in named("NetworkPolicy")}
    base = policies[SLUG]
    assert base["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["from"] for policy in policies.values() for rule in policy.get("ingress", ()))
    assert all(rule["to"] and rule["ports"] for rule in base["egress"])
    addresses = [peer["ipBlock"] for rule in base["egress"] for peer in rule["to"] if "ipBlock" in peer]
    assert all("169.254.0.0/16" in block["except"] for block in addresses)


def test_the_component_of_workers_renders_with_the_service(rendered, tmp_path):
    copy = shutil.copytree(FOLDER, tmp_path / "kubernetes")
    overlay = copy / "production/kustomization.yaml"
    overlay.write_text(overlay.read_text().replace("# components: [../backup]", "components: [../worker]"))
    found = {d["metadata"]["name"]: d for d in rendered(copy / "production") if d["kind"] == "Deployment"}
    worker, service = (found[name]["spec"]["template"]["spec"]["containers"][0] for name in (f"{SLUG}-worker", SLUG))
    assert worker["command"] == ["python", "-m", "chassis.serving.worker"]
    for name in ("image", "env", "envFrom"):
        assert worker[name] == service[name]


def with_backups(folder):
    """Return a copy of the manifests with the line taken in that docs/deploy.md tells."""
    copy = shutil.copytree(FOLDER, folder / "kubernetes")
    (line,) = [
        line
        for block in blocks("docs/deploy.md", "Backups from outside")
        for line in block.splitlines()
        if "sed" in line
    ]
    subprocess.run(["bash", "-ec", line.replace("deploy/kubernetes", str(copy))], check=True)
    return copy


@pytest.mark.parametrize("backups", [False, True])
def test_the_overlays_render_with_namespace_image_and_settings(rendered, tmp_path, backups):
    folder = with_backups(tmp_path) if backups else FOLDER
    for name in ("production", "monitoring"):
        found = {(d["kind"], d["metadata"]["name"]): d for d in rendered(folder / name)}
        assert all(d["metadata"].get("namespace") == SLUG for (kind, _), d in found.items() if kind != "Namespace")
        pods = [d["spec"]["template"] for (kind, _), d in found.items() if kind == "Deployment"]
        pods += [d["spec"]["jobTemplate"]["spec"]["template"] for (kind, _), d in found.items() if kind == "CronJob"]
        assert len(pods) == 1 + backups
        ((config, values),) = [(name, d["data"]) for (kind, name), d in found.items() if kind == "ConfigMap"]
        for (container,) in (pod["spec"]["containers"] for pod in pods):
            assert re.fullmatch(rf"ghcr\.io/\S+/{SLUG}:\d+\.\d+\.\d+", container["image"])
            assert container["envFrom"] == [{"configMapRef": {"name": config}}]
        assert ("METRICS_ALLOW" in values) == (name == "monitoring")
        assert (values.get("BACKUP_SCHEDULE") == "off") == backups
        assert {key.lower() for key in values} <= set(Settings.model_fields)
