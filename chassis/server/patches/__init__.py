"""All patches of libraries: each checks that the library is as expected, and is left out if it is not.

Nothing is imported here, since gunicorn's master imports this package before its workers patch the standard library.
"""
