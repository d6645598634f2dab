"""gevent's own patch of the standard library; gevent itself needs none."""


def patch_standard_library() -> None:
    """Patch the standard library of a worker, after the fork; gunicorn's master does not import gevent."""
    from gevent import monkey

    monkey.patch_all()
