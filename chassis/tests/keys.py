"""API keys of the tests, by role, and the settings of a server that requires one of them."""

ADMIN = "Kq3vT9xW1mB7nR5tY2uP8sD4fG6hJ0aL"  # pragma: allowlist secret
CLIENT = "Cw8bN2kZ5rX1yV7qL4sM9dF3gH6jP0tE"  # pragma: allowlist secret
OTHER = "Xt5mB9hQ2wE7rY4uZ1oP6aS3dG8fJ0kL"  # pragma: allowlist secret
GUARDED = {"REQUIRE_CLIENT_API_KEY": "true", "ADMIN_API_KEY": ADMIN, "CLIENT_API_KEYS": f"{CLIENT}, {OTHER}"}
