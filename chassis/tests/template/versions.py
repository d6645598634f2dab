"""Two versions of a template, the present tree and one with changes in many rooms; and clones of the first."""

import re
import shutil

from chassis.tests.named import EXAMPLE, SLUG
from chassis.tests.template import small
from chassis.tests.template.clones import NAME, Clone, clone_of_this

OWN = "app/features/harbor/__init__.py"
FEATURE = '"""What this service does."""\n\n\ndef register(hooks: object) -> None:\n    """Add nothing yet."""\n'
SITE = "deploy/nginx/app.conf"
UNIT = "deploy/systemd/{}.service"
UPGRADING = "# Upgrading\n\n## 99.0.0\n\nThe moat is deeper.\n\n## 98.0.0\n\nThe moat is there.\n"


def template_in(folder):
    """Return a template with the tags chassis-v98.0.0, chassis-v99.0.0 and chassis-v99.1.0."""
    template = clone_of_this(folder)
    now = re.search(r'__version__ = "(.*?)"', template.read("chassis/__init__.py"))[1]
    template.change("chassis/__init__.py", now, "98.0.0")
    small.put_into(template)
    release(template, "98.0.0")
    moved_on(template)
    release(template, "99.0.0")
    template.change("chassis/__init__.py", "99.0.0", "99.1.0")
    template.write("deploy/moat/more.yaml", f"name: {SLUG}-more\n")
    release(template, "99.1.0")
    return template


def release(template, version):
    """Commit and tag a version of the chassis."""
    template.run("python3", "-m", "chassis.manifest")
    template.commit(f"Release {version}")
    template.git("tag", f"chassis-v{version}")


def moved_on(template):
    """Change the chassis, the rim, what is generated, and what clones delete or own."""
    template.change("chassis/__init__.py", "98.0.0", "99.0.0")
    template.write("chassis/UPGRADING.md", UPGRADING)
    template.write("chassis/docs/moat.md", "# Moat\n")
    (template.folder / "chassis/docs/performance.md").unlink()
    first = template.read(SITE).splitlines()[0]
    template.change(SITE, first, "# The template's first line.")
    template.change(UNIT.format(SLUG), "[Service]\n", f"[Service]\n# Also in /opt/{SLUG}/moat.\n")
    template.write(f"deploy/moat/{SLUG}.yaml", f"name: {SLUG}\n")
    template.write("deploy/supervisor/more.conf", "; more\n")
    for name in ("deploy/caddy/Caddyfile", f"deploy/supervisor/{SLUG}.conf", "README.md", "CHANGELOG.md", "Dockerfile"):
        template.write(name, template.read(name) + "# The template's last line.\n")
    template.write("docs/deploy.md", template.read("docs/deploy.md") + f"\nAlso `/opt/{SLUG}/moat`.\n")
    template.write("Makefile", template.read("Makefile") + "\nmoat: ## dig\n\t@echo dug\n")
    template.change("pyproject.toml", "line-length = 120\n", "line-length = 120\npreview = false\n")
    template.change("pyproject.toml", '\nversion = "', '\nversion = "77.')
    template.change("app/__init__.py", 'version="', 'version="77.')
    template.change("app/__init__.py", '"""This service', '"""The moat, and this service')
    template.write(".env.example", template.read(".env.example") + "# How deep.\n# MOAT_METRES=7\n")
    template.change("requirements.txt", "\n", "\n# The template's line.\n")
    if (template.folder / f"app/features/{EXAMPLE}").exists():
        template.write(f"app/features/{EXAMPLE}/moat.py", '"""A new file of the example."""\n')
    for name in (f"{small.FOLDER}/moat.py", "examples/moat/__init__.py"):
        template.write(name, '"""A new file of an example, and a new example."""\n')


def cloned(template, folder):
    """Clone the first version, with its history, and rename it."""
    template.git("clone", "-q", "--branch", "chassis-v98.0.0", str(template.folder), str(folder))
    return renamed(Clone(folder))


def copied(template, folder):
    """Copy the first version without its history, as a button of a website does, and rename it."""
    template.git("clone", "-q", "--branch", "chassis-v98.0.0", str(template.folder), str(folder))
    shutil.rmtree(folder / ".git")
    copy = Clone(folder)
    copy.git("init", "-q")
    copy.commit("Initial commit")
    return renamed(copy)


def made(template, folder):
    """Make a repository from the first version by `make new`."""
    template.git("checkout", "-q", "chassis-v98.0.0")
    template.make("new", f"DIR={folder}", f"NAME={NAME}", "PARTS=accounts")
    template.git("checkout", "-q", "main")
    return lived_in(Clone(folder))


def renamed(clone):
    """Rename a clone and remove a part."""
    clone.make("rename", f"NAME={NAME}")
    clone.commit("Rename")
    text = clone.read("app/__init__.py")
    clone.write("app/__init__.py", text.partition("parts=(")[0] + 'parts=("accounts",))\n')
    return lived_in(clone)


def lived_in(clone):
    """Delete the examples and some of the rim, change some, add a feature, and commit."""
    for name in (f"app/features/{EXAMPLE}", small.FOLDER, "deploy/supervisor"):
        shutil.rmtree(clone.folder / name, ignore_errors=True)
    (clone.folder / "deploy/caddy/Caddyfile").unlink()
    clone.write(OWN, FEATURE)
    clone.write("README.md", f"# {NAME}\n\nOur own words.\n")
    clone.change(SITE, clone.read(SITE).splitlines()[0], "# Our first line.")
    clone.change("Dockerfile", "\n", "\n# Our line.\n")
    for name, line in (("app/__init__.py", r'version=".*?"'), ("pyproject.toml", r'(?m)^version = ".*?"')):
        clone.write(name, re.sub(line, lambda found: found[0].partition('"')[0] + '"1.4.0"', clone.read(name), count=1))
    clone.commit("Add the harbor")
    return clone
