"""Settings without a weakness."""

SECRET = "Zk3vQ9xW1mB7nR5tY2uP8sD4fG6hJ0aL-cE"
ADMIN = SECRET[::-1]
GOOD = {
    "app_env": "production",
    "secret_key": SECRET,
    "admin_api_key": ADMIN,
    "admin_allow": ("10.0.0.0/8",),
    "public_url": "https://app.example.org",
    "security_contact": ("security@example.org",),
}
