"""A git repository of the project as it stands, with a few later versions, good and bad ones."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[4]
GIT = ["git", "-c", "user.name=proof", "-c", "user.email=proof@localhost", "-c", "commit.gpgsign=false"]
NEVER_READY = '''"""A feature that is never ready."""


def register(hooks):
    hooks.health_check("never", lambda: "it never is")
'''


class Upstream:
    """Versions as tags: v0.1.0 is what stands here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        self.git("init", "-q", "-b", "main")
        self.tag("v0.1.0")
        self.change("chassis/web/templates/base.html", "<title>", "<title>Second ")
        self.tag("v0.2.0")  # pages only
        self.change("chassis/server/worker.py", "TICK_SECONDS = 0.1", "TICK_SECONDS = 0.11")
        self.tag("v0.3.0")  # what the master holds
        self.change("chassis/web/pages.py", '"""', '"""', after="\nimport nothing_of_this_name\n")
        self.tag("broken")
        self.git("reset", "-q", "--hard", "v0.3.0")
        (folder / "app/features/never").mkdir()
        (folder / "app/features/never/__init__.py").write_text(NEVER_READY)
        self.tag("unready")
        self.git("reset", "-q", "--hard", "v0.1.0")

    def git(self, *arguments: str) -> None:
        subprocess.run([*GIT, *arguments], cwd=self.folder, check=True)

    def change(self, name: str, old: str, new: str, after: str = "") -> None:
        """Replace text in a file, which must be there, and add some at the end."""
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new, 1) + after)

    def tag(self, name: str) -> None:
        """Commit as this version."""
        if re.match(r"v\d", name):
            service = self.folder / "app/__init__.py"
            service.write_text(re.sub(r'version=".*?"', f'version="{name[1:]}"', service.read_text()))
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--allow-empty", "-m", name)
        self.git("tag", name)
