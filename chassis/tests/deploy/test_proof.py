"""The deployment proof runs whole proofs only, and fails when one of them ends early."""

import os
import sys

import pytest

from chassis.tests.deploy.proof import __main__ as proof
from chassis.tests.deploy.proof import render


def test_parts_of_a_proof_are_no_proofs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["proof", "--help"])
    with pytest.raises(SystemExit):
        proof.main()
    text = " ".join(capsys.readouterr().out.split())
    assert "of containers, firewall, nginx, render, supervisor, systemd;" in text


@pytest.mark.parametrize(("broken", "status"), [(False, 0), (True, 1)])
def test_a_proof_that_ends_early_is_a_failure(monkeypatch, capsys, broken, status):
    def prove(report):
        with report.step("render", "serve"):
            pass
        if broken:
            raise TypeError("between two steps")

    monkeypatch.setattr(render, "prove", prove)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "argv", ["proof", "render"])
    assert proof.main() == status
    assert ("TypeError" in capsys.readouterr().err) is broken
