"""What the README tells a reader to type about the example, typed."""

import re

import pytest

from chassis.tests.conftest import same_in_every_mode
from chassis.tests.documents import blocks
from chassis.tests.patience import wait_until
from chassis.tests.test_documents import clone, typed

__all__ = ["clone"]
pytestmark = same_in_every_mode


@pytest.mark.long
def test_run_and_the_example_over_http(clone, serve):
    run, test = blocks("README.md")[0].splitlines()
    assert test.startswith("make test ")  # which the gate types
    server = serve(command=["bash", "-c", f"cd {clone} && exec {run}"])
    lines = blocks("README.md", "The example over HTTP")[0].replace("http://127.0.0.1:5000", server.url)
    call, rest = lines.split("# 202 ")
    found = re.search(r'"id":\s*"([\w-]+)"', typed(call, clone))
    status, csv = rest.replace("/ID", f"/{found[1]}").splitlines()[1:]
    wait_until(lambda: '"succeeded"' in typed(status, clone))
    assert len(typed(csv, clone).splitlines()) == 3
