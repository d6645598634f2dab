"""The admin of a development database."""

from chassis.parts.accounts import administration, joining, passwords, store

EMAIL = "admin@example.org"


def make() -> str:
    """Create the first account, and return its password, which is shown only now."""
    if administration.listing()[1]:
        return "there are accounts already"
    password = passwords.generated()
    joining.create(EMAIL, store.ADMIN, password)
    return f"sign in as {EMAIL} with the password {password}, which is shown only now"
