"""Ready-made features: a name in the service's `parts` puts one in."""
