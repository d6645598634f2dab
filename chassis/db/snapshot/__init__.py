"""Fetches a SQLite database from a URL, verifies it and installs it without ever risking the old one."""
