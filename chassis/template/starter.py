"""The texts that a new repository has instead of the template's own."""

import re

CHANGELOG = """\
# Changelog

What changes for the people who use or run this service, in the form of
[Keep a Changelog](https://keepachangelog.com/en/1.1.0/). The chassis has [its own](chassis/CHANGELOG.md).

## [Unreleased]

### Added

- The first version.
"""
README = """\
# {name}

Say here in two sentences what {name} does, and for whom.

    make dev      # http://127.0.0.1:5000 - creates .venv, installs, migrates, serves, and follows your changes
    make test     # installs the test tools and runs the tests

`app/` is the service: its name, version and parts in `app/__init__.py`, its settings in `app/settings.py`, one folder a
feature in `app/features`. `chassis/` is the machinery below it, which `make upgrade` replaces; do not edit it.
`make help` lists every command.

| document | answers |
|---|---|
| [Adding a feature](chassis/docs/adding-a-feature.md) | How do I write my first feature? |
| [Features](chassis/docs/features-reference.md) | What can a feature use, and how do I test it? |
| [Configuration](docs/configuration.md) | Which settings are there? |
| [Deploying](docs/deploy.md) | How do I install, update and roll back the service? |
| [Operations](chassis/docs/operations.md) | How do I run it: commands, logs, backups, people, limits? |
| [Upgrading](chassis/UPGRADING.md) | How do I take a newer version of the template? |
"""
EXAMPLE = re.compile(r"^## The example .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def readme(name: str, shipped: str, with_example: bool, readmes: dict[str, str]) -> str:
    """Return the README of a new service.

    The shipped example keeps its section of the shipped README; `readmes` are the paths of those of other examples.
    """
    section = EXAMPLE.search(shipped) if with_example else None
    rows = "".join(
        f"| [The feature {one}]({path}) | What does it do, and how do I try it? |\n" for one, path in readmes.items()
    )
    return README.format(name=name) + rows + (f"\n{section[0].rstrip()}\n" if section else "")
