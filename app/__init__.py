"""This service: what it is called, and what it is made of."""

from chassis.service import Service

service = Service(parts=("accounts", "console", "webhooks"))
create_app = service.create_app
