"""Alembic's entry point: runs a branch's migrations on the engine of chassis.db.schema, or prints their SQL."""

from typing import Any

from alembic import context

from chassis.db.tables import metadata

engine = context.config.attributes["engine"]
rebuilds = context.config.attributes["rebuilds"]
options = {
    "target_metadata": metadata,
    "version_table": context.config.attributes["version_table"],
    "transaction_per_migration": True,
    "transactional_ddl": True,  # so that the SQL printed for SQLite has the same transactions as the migrations
}


def check_references(ctx: Any, **_: Any) -> None:
    """Raise ValueError, which rolls the migration back, when rows refer to rows that do not exist."""
    if broken := ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise ValueError(f"a row of {broken[0]} refers to one of {broken[2]} that does not exist")


if context.is_offline_mode():
    context.configure(dialect_name=engine.dialect.name, literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    with engine.connect() as connection:
        if rebuilds:  # otherwise dropping the old table deletes, or is refused for, rows that refer to it
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            options["on_version_apply"] = check_references
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
