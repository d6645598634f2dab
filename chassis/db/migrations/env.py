"""Alembic's entry point: runs a branch's migrations on the engine of chassis.db.schema, or prints their SQL."""

from alembic import context

from chassis.db.tables import metadata

engine = context.config.attributes["engine"]
options = {
    "target_metadata": metadata,
    "version_table": context.config.attributes["version_table"],
    "transaction_per_migration": True,
    "transactional_ddl": True,  # so that the SQL printed for SQLite has the same transactions as the migrations
}
if context.is_offline_mode():
    context.configure(dialect_name=engine.dialect.name, literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    with engine.connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
