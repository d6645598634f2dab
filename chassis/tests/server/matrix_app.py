"""An application that uses all of Flask-SocketIO's programming model; the matrix drives it under every transport."""

from app import create_app

app = create_app()

from chassis.tests.server import matrix_events, matrix_rooms  # noqa: E402, F401 - its handlers replace the service's
from chassis.tests.server.matrix_routes import routes  # noqa: E402 - as the handlers

app.register_blueprint(routes)
