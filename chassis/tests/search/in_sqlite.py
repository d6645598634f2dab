"""Searches by vectors in SQLite, in a Python that loads its extensions; prints what is found as JSON."""

import json
import sys

from chassis.search import described
from chassis.tests.search.albums import albums_in
from chassis.tests.search.test_vectors import answers

if __name__ == "__main__":
    with albums_in(sys.argv[1]) as albums:
        told = answers(albums)
        print(json.dumps({**told, "described": albums.db.read(described, unbounded=True)}))
