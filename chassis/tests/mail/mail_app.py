"""Not a test: an application with a route that sends a message."""

from flask import jsonify

from app import create_app
from chassis import mail
from chassis.security import public
from chassis.serving.wsgi import application

app = application(create_app)


@app.post("/mail/<to>")
@public
def post(to: str):
    return jsonify(id=mail.send(to, "mail/test").id)
