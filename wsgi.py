"""What gunicorn and the `flask` command load."""

from app import create_app
from chassis.serving.wsgi import application

app = application(create_app)
