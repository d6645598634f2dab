"""Basics for every room: concurrency, times, JSON, the environment."""
