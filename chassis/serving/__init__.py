"""The code behind gunicorn_config.py, wsgi.py and run_web.py."""
