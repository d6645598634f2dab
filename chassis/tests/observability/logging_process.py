"""Not a test: logs what it is told to, one Python literal a line: (log format, secret of the settings, event, values).

`values` may hold `raised`, the words of an exception that is logged with its traceback. After each line of input it
prints END.
"""

import ast
import sys

import structlog
from pydantic import SecretStr

from chassis.observability.logs import configure_logging
from chassis.settings import Settings

END = "-- end of the event --"


def main() -> None:
    log = structlog.get_logger("fuzz")
    for line in sys.stdin:
        log_format, secret, event, values = ast.literal_eval(line)
        configure_logging(Settings(app_env="test", log_format=log_format, secret_key=SecretStr(secret)))
        raised = values.pop("raised", None)
        try:
            if raised is not None:
                raise ValueError(raised)
            log.warning(event, **values)
        except ValueError:
            log.exception(event, **values)
        print(END, flush=True)


if __name__ == "__main__":
    main()
