"""What every room may use: concurrency, times, JSON, the environment."""
