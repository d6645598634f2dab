"""Your features: each package in this folder is one, found by its presence."""
