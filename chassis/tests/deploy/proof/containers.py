"""The image, the compose files and the manifests, run by podman as docs/deploy.md tells it, from a fresh clone."""

import subprocess
import tempfile
from pathlib import Path

from chassis.tests.deploy.proof import container_image, container_pods, container_stack
from chassis.tests.deploy.proof.container_engine import Engine
from chassis.tests.deploy.proof.report import Report
from chassis.tests.documents import ROOT


def clone(folder: Path) -> Path:
    """Clone what is committed, as a new user does."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


def prove(report: Report) -> None:
    """Prove the three ways of running containers."""
    folder = Path(tempfile.mkdtemp(prefix="containers-", dir="/var/tmp"))
    with report.step("containers", "podman, and stand-ins for the official images") as line:
        engine = Engine(folder / "engine")
        line.see(engine.run("podman", "--version"))
        line.see(", ".join(engine.images))
    try:
        container_image.prove_part(report, engine, clone(folder / "image"))
        container_stack.prove_part(report, engine, clone(folder / "stack"))
        container_pods.prove_part(report, engine, clone(folder / "pods"))
    except Exception:
        print(engine.logs())
        raise
    finally:
        engine.close()
        subprocess.run(["rm", "-rf", folder], check=True)
