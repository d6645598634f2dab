"""Hides from the programs of the tests what only the tests' environment has: they see what production installs.

Libraries import such packages where they find them, which makes a start slower, and another one than in production.
"""

import os
import sys

EXTRAS = {
    "redis": ("REDIS_URL", "JOBS_BROKER_URL"),
    "celery": "JOBS_BROKER_URL",
    "kombu": "JOBS_BROKER_URL",
    "opentelemetry": "OTEL_",
    "sentry_sdk": "SENTRY_",
    "boto3": "AWS_",
    "authlib": "OIDC_",
    "webauthn": "TEST_PASSKEYS",
    "OpenSSL": "TEST_PASSKEYS",
}
UNUSED = {name for name, prefix in EXTRAS.items() if not any(one.startswith(prefix) for one in os.environ)}
HIDDEN = {"brotli", "pygments", "rich", "websocket", *UNUSED}


class Finder:
    """Finds nothing of what is hidden."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Finder)
