"""`python -m chassis.boot`."""

import argparse

from chassis.boot.process import run

argparse.ArgumentParser(description="Fetch, check and migrate the database, and reset stalled jobs.").parse_args()
run()
