"""Fetches a SQLite database from a URL, verifies it and puts it in place without ever risking the old one."""
