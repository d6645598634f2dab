"""What the top-level files call: gunicorn_config.py, wsgi.py and run_web.py."""
