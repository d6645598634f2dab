"""Where the stack of several instances is."""

from chassis.tests.conftest import ROOT

FOLDER = ROOT / "deploy/compose/production"
