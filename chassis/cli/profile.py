"""`flask profile`: where a running process spends its time, without a restart."""

import time
from pathlib import Path

import click

from chassis.observability import flamegraph, profiling


@click.command()
@click.option("--seconds", default=10.0, show_default=True, type=click.FloatRange(0.1, 600), help="How long to sample.")
@click.option("--to", type=click.Path(path_type=Path), help="The output file: .html, .json (speedscope) or .txt.")
@click.option("--pid", type=int, help="The process id; required when several run here.")
def profile(seconds: float, to: Path | None, pid: int | None) -> None:
    """Sample the stacks of a worker, or of `flask jobs work`, and write them as a flame graph.

    Run it on the same machine, or in the same container, and as the same user as the service.
    """
    chosen = _only_one() if pid is None else pid
    click.echo(f"Sampling process {chosen} for {seconds:g} s ...", err=True)
    try:
        found = profiling.ask(chosen, seconds)
    except OSError as error:
        reason = "no such process of this service runs here" if isinstance(error, ConnectionError) else str(error)
        raise click.ClickException(f"Process {chosen} cannot be profiled: {reason}.") from None
    path = to or Path(f"profile-{chosen}-{time.strftime('%Y%m%d-%H%M%S')}.html")
    flamegraph.write(found, path)
    click.echo(flamegraph.summary(found))
    click.echo(f"Written: {path}")


def _only_one() -> int:
    found = profiling.processes()
    if not found:
        raise click.ClickException("No process of this service runs here.")
    if len(found) > 1:
        raise click.ClickException(f"Several processes run here; choose one: --pid {', --pid '.join(map(str, found))}")
    return found[0]
