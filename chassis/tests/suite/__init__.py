"""Runs the suite: in parallel, in an order, beside busy processes; what fails is run once more, alone."""
