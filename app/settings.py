"""Your settings (classes of `chassis.settings.Section`), and your defaults for the settings of the chassis."""

DEFAULTS: dict[str, object] = {}  # by a setting's name in lower case, such as {"max_body_bytes": 32_000_000}
