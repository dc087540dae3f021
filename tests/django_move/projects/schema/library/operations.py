"""Operations that do nothing on SQLite."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class _PostgresOnly:
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class PgSQL(_PostgresOnly, migrations.RunSQL):
    """RunSQL."""


class PgAddIndex(_PostgresOnly, migrations.AddIndex):
    """AddIndex."""


class PgAddIndexConcurrently(_PostgresOnly, AddIndexConcurrently):
    """AddIndexConcurrently."""


class PgAddConstraint(_PostgresOnly, migrations.AddConstraint):
    """AddConstraint."""


class PgAlterField(_PostgresOnly, migrations.AlterField):
    """AlterField."""
