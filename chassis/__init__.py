"""The machinery of the service, replaced as a whole by an upgrade; see README.md."""

__version__ = "0.2.0"
