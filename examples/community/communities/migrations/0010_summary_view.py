"""The view behind MunicipalitySummary; the same SQL on SQLite and on PostgreSQL."""

from django.db import migrations

CREATE_VIEW = """
CREATE VIEW communities_municipality_summary AS
SELECT b.municipality_id,
       count(*) AS communities,
       sum(c.estimated_population) AS people,
       max(c.poverty_percent) AS poorest_percent
FROM communities_community c
JOIN common_barangay b ON b.id = c.barangay_id
WHERE NOT c.is_deleted
GROUP BY b.municipality_id
"""


class Migration(migrations.Migration):
    dependencies = [("communities", "0009_leader_name_index"), ("common", "0014_audit_changes_index")]

    operations = [migrations.RunSQL(CREATE_VIEW, "DROP VIEW communities_municipality_summary")]
