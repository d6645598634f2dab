"""Runs the suite: in parallel, in a chosen order, beside busy processes; failed tests are run again alone."""
