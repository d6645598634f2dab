"""Commands: `flask db`, `flask jobs`, `flask schedules`, `flask keys`, `flask audit`, `flask settings` and so on."""

from flask import Flask


def install(app: Flask) -> None:
    """Register the commands."""
    from chassis.cli import (  # noqa: F401 - imported to extend the group of jobs
        audit,
        database,
        doctor,
        jobs,
        jobs_change,
        jobs_work,
        keys,
        mail,
        maintenance,
        profile,
        schedules,
        seed,
        settings,
        shell,
    )

    groups = [module.group for module in (audit, database, jobs, keys, mail, maintenance, schedules, seed, settings)]
    for command in (*groups, maintenance.logs_group, doctor.doctor, profile.profile):
        app.cli.add_command(command)
    shell.install(app)
