"""The environment of alembic: migrations use the connection and the transaction of their caller."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
