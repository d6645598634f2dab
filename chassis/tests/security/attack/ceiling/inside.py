"""The application in a process of its own, which answers the worst requests and events and measures each.

`python -m chassis.tests.security.attack.ceiling.inside eventlet|gevent|threading few|all [ROWS]` prints a line of JSON
for each row and visitor: what its worst input was, and what that cost.
"""

import gc
import importlib
import json
import os
import sys

from chassis.tests.security.attack.ceiling.process import hashing, patch

MORE = "CEILING_MORE"  # a module that adds to the application by `register(app)`


def main() -> None:
    """Measure everything, or the rows that a regular expression finds."""
    mode, how_many, *only = sys.argv[1:]
    patch(mode)
    from app import create_app
    from chassis.tests.security.attack.ceiling.asked import Asked
    from chassis.tests.security.attack.ceiling.discovery import of_features
    from chassis.tests.security.attack.ceiling.limits import KEY, STRANGER
    from chassis.tests.security.attack.ceiling.sweep import swept
    from chassis.tests.security.attack.ceiling.visitor import Visitor, key

    app, asked = create_app(), Asked()
    if MORE in os.environ:
        importlib.import_module(os.environ[MORE]).register(app)
    asked.listen(app)
    hashing.watch()
    gc.collect()
    gc.freeze()
    few = how_many == "few"
    visitors = {KEY: Visitor(app, asked, key=key(), few=few), STRANGER: Visitor(app, asked, key="", few=few)}
    features = of_features(app)
    for row in swept(app, visitors, "".join(only)):
        print(json.dumps({**row, "of_a_feature": row["row"] in features}))


if __name__ == "__main__":
    main()
