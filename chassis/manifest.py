"""The hashes of the chassis' files, with which `flask doctor` and an upgrade detect edited files."""

import hashlib
import sys
from pathlib import Path

CHASSIS = Path(__file__).resolve().parent
MANIFEST = CHASSIS / "manifest.txt"
LEFT_OUT = {"__pycache__", MANIFEST.name}
MAY_BE_MISSING = {"tests", "docs"}  # from an image


def write() -> bool:
    """Write the manifest of the present files; return whether it changed."""
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(_present().items()))
    if MANIFEST.exists() and MANIFEST.read_text() == text:
        return False
    MANIFEST.write_text(text)
    return True


def edits() -> list[str]:
    """Return the files of the chassis that differ from its manifest, each marked as changed, added or removed."""
    lines = (line.partition("  ") for line in MANIFEST.read_text().splitlines())
    known = {name: digest for digest, _, name in lines}
    present = _present()
    changed = [f"{name} (changed)" for name in known.keys() & present.keys() if known[name] != present[name]]
    added = [f"{name} (added)" for name in present.keys() - known.keys()]
    gone = (name for name in known.keys() - present.keys() if not MAY_BE_MISSING & set(Path(name).parts))
    return sorted([*changed, *added, *(f"{name} (removed)" for name in gone)])


def _present() -> dict[str, str]:
    files = (path for path in CHASSIS.rglob("*") if path.is_file() and not LEFT_OUT & set(path.parts))
    return {path.relative_to(CHASSIS).as_posix(): _digest(path) for path in files if path.suffix != ".pyc"}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(check: bool) -> int:
    """Write the manifest, or only report edited files; return an exit status."""
    if not check:
        print("written" if write() else "up to date")  # noqa: T201
        return 0
    found = edits()
    for edit in found:
        print(f"chassis/{edit}: an upgrade overwrites it; run `make manifest` if you develop the chassis itself")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
