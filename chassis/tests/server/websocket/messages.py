"""Events in fragments, and their echoes."""

LIMIT = 20_000
EVENT = '42["echo","%s"]'


def echo_of(client):
    """Return what the server echoes next."""
    said = client.read_text()
    assert said.startswith('42["echo",') and said.endswith("]")
    return said.removeprefix('42["echo",').removesuffix("]")
