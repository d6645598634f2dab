"""Every patch of a library: each checks that the library is as it expects, and else leaves the library's own way.

Nothing is imported here, since gunicorn's master imports this package before its workers patch the standard library.
"""
