"""This service: its name, its version, and the parts of the chassis that it uses."""

from chassis.service import Service, create_app

__all__ = ["create_app", "service"]

service = Service(name="Skeleton", version="0.1.0", parts=("accounts", "console", "webhooks"))
