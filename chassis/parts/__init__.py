"""Ready-made features; listing one's name in the service's `parts` enables it."""
