"""The server: gunicorn's hooks, the worker, the transport of Socket.IO, and the patches of libraries.

Nothing here is for features. Nothing is imported here either, since gunicorn's master imports this package before its
workers patch the standard library.
"""
