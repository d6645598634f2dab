"""A podman of the proof's own: its storage, its settings, and stand-ins for the official images.

No registry is needed: a tree of Debian packages is imported under the names that Dockerfile and compose.yaml use. It
has what they rely on: /usr/local/bin/python with pip, and a caddy that carries a capability like the official one.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from chassis.tests.documents import ROOT

CACHE = Path("/var/cache/chassis-proof")
MIRROR = "http://deb.debian.org/debian"
TOOLS = {"podman": "podman", "runc": "runc", "catatonit": "catatonit", "debootstrap": "debootstrap", "git": "git"}
TOOLS |= {"/usr/lib/podman/netavark": "netavark", "/usr/lib/podman/aardvark-dns": "aardvark-dns", "curl": "curl"}
INCLUDE = "python3,python3-pip,python3-venv,ca-certificates,caddy,wget,libcap2-bin"
PATHS = "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
CADDY = 'CMD ["caddy","run","--config","/etc/caddy/Caddyfile","--adapter","caddyfile"]'
SHIM = '#!/bin/sh\nif [ "$1" = compose ]; then shift; exec podman-compose "$@"; fi\nexec podman "$@"\n'


class Engine:
    """Runs commands whose podman (also called docker, and docker compose) sees nothing but the proof's own things."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        self.env |= {"BUILDAH_FORMAT": "docker", "CONTAINERS_CONF": str(folder / "containers.conf")}
        self.env |= {"CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"), "XDG_RUNTIME_DIR": str(folder)}
        self.env["PATH"] = f"{folder}/bin:{ROOT}/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        install()
        configure(folder, wheels())
        self.images = [
            self.stand_in(*re.findall(r"^FROM (python:\S+) AS", (ROOT / "Dockerfile").read_text(), re.MULTILINE)),
            self.stand_in(*re.findall(r"image: (caddy:\S+)", (ROOT / "deploy/compose/compose.yaml").read_text())),
        ]

    def stand_in(self, name: str) -> str:
        """Import the tree under an official name, with that image's command."""
        version = re.findall(r"ARG PYTHON_VERSION=(\S+)", (ROOT / "Dockerfile").read_text())[0]
        full = "docker.io/library/" + name.replace("${PYTHON_VERSION}", version)
        change = CADDY if "caddy" in name else 'CMD ["python"]'
        self.run("podman", "import", "-q", "--change", PATHS, "--change", change, tree(), full)
        return full

    def run(self, *command: object, cwd: Path = ROOT, check: bool = True, **env: str) -> str:
        """Return what a command printed; raise with all that it said when it fails."""
        words, settings = [str(part) for part in command], self.env | env
        found = subprocess.run(words, cwd=cwd, env=settings, capture_output=True, text=True, check=False)
        if check and found.returncode:
            raise RuntimeError(f"{' '.join(words)}: {found.returncode}\n{found.stdout[-3000:]}{found.stderr[-3000:]}")
        return found.stdout.strip()

    def shell(self, script: str, cwd: Path, **env: str) -> str:
        """Run a block of the documents."""
        return self.run("bash", "-euc", script, cwd=cwd, **env)

    def inspect(self, name: str, what: str) -> str:
        """Return a field of a container or image, as a Go template names it."""
        return self.run("podman", "inspect", "-f", "{{" + what + "}}", name)

    def logs(self) -> str:
        """Return what the containers said last."""
        names = self.run("podman", "ps", "-aq", check=False).split()
        logs = 'for name in "$@"; do echo "== $name"; podman logs --tail 20 "$name" 2>&1; done'
        return self.run("sh", "-c", logs, "logs", *names, check=False)

    def close(self) -> None:
        """Remove every container, network, volume and image of the proof."""
        for command in ("pod rm -fa", "rm -fa -t 0", "network prune -f", "volume prune -f", "rmi -fa"):
            self.run("podman", *command.split(), check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def install() -> None:
    """Install what is missing from Debian."""
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if missing:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)


def tree() -> Path:
    """Return the archive of Debian's tree; made once and kept."""
    archive, folder = CACHE / "containers.tar", CACHE / "containers"
    if not archive.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run = ["debootstrap", "--variant=minbase", f"--include={INCLUDE}", "bookworm", str(folder), MIRROR]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
        for name, target in (("python", "python3"), ("pip", "pip3")):
            (folder / "usr/local/bin" / name).symlink_to(f"/usr/bin/{target}")
        subprocess.run(["chroot", folder, "setcap", "cap_net_bind_service=+ep", "/usr/bin/caddy"], check=True)
        kept = ["--xattrs", "--xattrs-include=*", "--exclude=./var/cache/apt", "--exclude=./var/lib/apt/lists"]
        partial = archive.with_suffix(".partial")
        subprocess.run(["tar", "-C", folder, *kept, "--one-file-system", "-cf", partial, "."], check=True)
        partial.rename(archive)
        shutil.rmtree(folder, ignore_errors=True)
    return archive


def wheels() -> Path:
    """Return a folder of the locked packages for Debian's Python, fetched by this machine's pip."""
    folder = CACHE / "wheels"
    command = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "--python-version", "3.11"]
    options = ["--require-hashes", "-r", str(ROOT / "requirements.txt"), "-d", str(folder)]
    subprocess.run([*command, *options], check=True, stderr=subprocess.DEVNULL)
    return folder


def configure(folder: Path, packages: Path) -> None:
    """Write podman's settings; builds find the packages in a folder, which says so in their pip.conf."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/docker").write_text(SHIM)
    (folder / "bin/docker").chmod(0o755)
    (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n'
    )
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    (folder / "containers.conf").write_text(
        f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]\nlog_driver = "k8s-file"\n'
        f'volumes = ["{packages}:/wheels:ro", "{folder}/pip.conf:/etc/pip.conf:ro"]\n'
        f'[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "{folder}/tmp"\n'
        f'[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "{folder}/networks"\n'
        'default_subnet = "10.213.0.0/24"\ndefault_subnet_pools = [{base = "10.214.0.0/16", size = 24}]\n'
    )
