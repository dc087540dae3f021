"""An index for searching leaders without regard to case; the same SQL on SQLite and on PostgreSQL."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("communities", "0008_constraints")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX leader_lower_name ON communities_leader (lower(full_name), id)",
            "DROP INDEX leader_lower_name",
        ),
    ]
