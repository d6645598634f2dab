"""The manifests of deploy/kubernetes, rendered by kubectl and played by podman.

No cluster runs here: podman takes the deployment, the claim and the settings and passes over the rest. It knows only
the liveness probe, as a command that the image does not have, so that the pages of all three are asked from here.
"""

import base64
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

from ruamel.yaml import YAML

from chassis.tests.conftest import free_port
from chassis.tests.deploy.proof.container_client import ROWS, Visitor
from chassis.tests.deploy.proof.container_engine import Engine
from chassis.tests.deploy.proof.report import Report
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG

APP = f"{SLUG}-pod-0-app"


def prove_part(report: Report, engine: Engine, clone: Path) -> None:
    """Render, play, visit and end."""
    port = free_port()
    with report.step("kubernetes", "kubectl renders, and makes the secret of docs/deploy.md"):
        if shutil.which("kubectl") is None:
            subprocess.run(
                ["apt-get", "install", "-y", "-qq", "kubernetes-client"], check=True, stdout=subprocess.DEVNULL
            )
        pod = render(engine, clone, port)
        data = secret(engine, clone)
        engine.shell(f"podman secret create {SLUG} - <<< '{json.dumps(data)}'", clone)
        engine.run("podman", "build", "-q", "-t", f"{SLUG}:play", clone)
    with report.step("kubernetes", "podman kube play") as line:
        started = time.monotonic()
        engine.run("podman", "kube", "play", pod)
        visitor = Visitor(f"http://127.0.0.1:{port}", key=base64.b64decode(data["admin-api-key"]).decode())
        visitor.wait_for_page()
        line.see(f"first page after {time.monotonic() - started:.0f} s")
        for page in sorted(set(re.findall(r"path: (/\w+z)$", pod.read_text(), re.MULTILINE))):
            assert visitor.get(page)[0] == 200
            line.see(f"{page} 200")
        confined(engine)
        batch = visitor.run_batch()
        line.see("read-only, user 10001, no capabilities, a batch done")
    backed_up(report, engine, clone, pod)
    ended(report, engine, pod, visitor, batch)


def backed_up(report: Report, engine: Engine, clone: Path, service: Path) -> None:
    """Take the CronJob in as the document says, and play the pod that a cluster would make of it, beside the other."""
    with report.step("kubernetes", "the CronJob's pod, beside the service's") as line:
        switch = next(block for block in blocks("docs/deploy.md", "Backups from outside") if "sed -i" in block)
        engine.shell(switch.splitlines()[0], clone)
        text = engine.run("kubectl", "kustomize", "deploy/kubernetes/production", cwd=clone)
        job = next(d for d in YAML(typ="safe").load_all(text) if d["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]
        (container,) = job["template"]["spec"]["containers"]
        container["image"] = f"localhost/{SLUG}:play"
        container["command"][-1] = container["command"][-1].replace("$(date +%u)", "7")  # as on a Sunday
        name = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "backup"}, "spec": job["template"]["spec"]}
        settings = next(d for d in service.read_text().split("\n---\n") if "kind: ConfigMap" in d)
        name["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"] = re.search(r"name: (\S+)", settings)[1]
        (clone / "backup.yaml").write_text(f"{settings}\n---\n{json.dumps(name)}\n")
        engine.run("podman", "kube", "play", clone / "backup.yaml")
        assert engine.run("podman", "wait", "backup-backup") == "0"
        said = engine.run("podman", "logs", "backup-backup")
        assert re.search(r"made /data/backups/\S+\.db\.zst", said), said
        assert "is valid, SHA-256" in said, said
        assert engine.inspect("backup-backup", ".HostConfig.ReadonlyRootfs") == "true"
        line.see("made and proven on the volume of the service that runs, read-only, user 10001")
        engine.run("podman", "pod", "rm", "-f", "backup")


def render(engine: Engine, clone: Path, port: int) -> Path:
    """Write what kubectl makes of the overlay, for our image and a free port of this machine."""
    text = engine.run("kubectl", "kustomize", "deploy/kubernetes/production", cwd=clone)
    text = re.sub(r"image: ghcr\.io/\S+", f"image: localhost/{SLUG}:play", text)
    text = text.replace("containerPort: 5000", f"containerPort: {port}")
    text = text.replace("LOG_LEVEL: INFO", f'LOG_LEVEL: INFO\n  PORT: "{port}"\n  DEMO_PREDICTOR: "true"')
    (clone / "pod.yaml").write_text(text)
    return clone / "pod.yaml"


def secret(engine: Engine, clone: Path) -> dict[str, str]:
    """Return the data of the Secret that the documented command would create, as podman 4 reads them."""
    command = re.search(r"kubectl -n \S+ create secret (?:.*\\\n)*.*", blocks("docs/deploy.md", "Kubernetes")[0])[0]
    made = engine.shell(f"{command} --dry-run=client -o yaml", clone, OPENROUTER_API_KEY="")
    return dict(YAML(typ="safe").load(made)["data"])


def confined(engine: Engine) -> None:
    """See that the manifest's limits are in force."""
    status = engine.run("podman", "exec", APP, "cat", "/proc/1/status")
    assert "Uid:\t10001" in status
    assert "NoNewPrivs:\t1" in status
    assert "CapBnd:\t" + "0" * 16 in status
    assert engine.inspect(APP, ".HostConfig.ReadonlyRootfs") == "true"
    assert int(engine.inspect(APP, ".HostConfig.Memory")) == 2**30


def ended(report: Report, engine: Engine, pod: Path, visitor: Visitor, batch: str) -> None:
    """End the pod, play it again on the same volume, and end it for good."""
    with report.step("kubernetes", "a new pod has the data of the old") as line:
        name = engine.inspect(APP, ".Pod")
        started = time.monotonic()
        engine.run("podman", "pod", "stop", "-t", "30", name)
        assert engine.inspect(APP, ".State.ExitCode") == "0"
        line.see(f"exit 0 after {time.monotonic() - started:.1f} s")
        engine.run("podman", "pod", "rm", name)
        documents = [d for d in pod.read_text().split("\n---\n") if "kind: PersistentVolumeClaim" not in d]
        pod.write_text("\n---\n".join(documents))
        engine.run("podman", "kube", "play", pod)
        visitor.wait_for_page()
        assert visitor.done(batch) == len(ROWS)
        engine.run("podman", "kube", "down", pod)
