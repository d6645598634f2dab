"""A boot by itself knows the tables of every branch."""

import subprocess
import sys

from chassis.tests.servers import CLEAN, ROOT


def test_a_boot_of_its_own_knows_the_columns_of_every_table():
    code = """if True:
        from chassis.boot.migrations import branches, load_tables
        from chassis.db import metadata
        load_tables()
        made = {name for branch in branches() for name in branch.tables(branch.revisions()[-1])}
        print(sorted(made ^ set(metadata.tables)))"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=CLEAN, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
