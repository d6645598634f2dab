"""Commands: `flask db`, `flask jobs`, `flask schedules`, `flask keys`, `flask new`, `flask settings` and so on."""

from flask import Flask


def install(app: Flask) -> None:
    """Register the commands."""
    from chassis.cli import (  # noqa: F401 - imported to extend the group of jobs
        audit,
        budgets,
        database,
        doctor,
        events,
        jobs,
        jobs_change,
        jobs_work,
        keys,
        mail,
        maintenance,
        new,
        profile,
        schedules,
        seed,
        settings,
        shell,
        usage,
    )

    modules = (audit, budgets, database, events, jobs, keys, mail, maintenance, new, schedules, seed, settings)
    groups = [module.group for module in modules]
    for command in (*groups, maintenance.logs_group, doctor.doctor, profile.profile, usage.usage):
        app.cli.add_command(command)
    shell.install(app)
