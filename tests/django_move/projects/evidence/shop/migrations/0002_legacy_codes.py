from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE TABLE legacy_codes (code varchar(8) NOT NULL PRIMARY KEY, amount integer)",
            "DROP TABLE legacy_codes",
        ),
        migrations.RunSQL("CREATE TABLE sightings (code varchar(8) NOT NULL, amount integer)", "DROP TABLE sightings"),
        migrations.RunSQL(
            "CREATE VIEW summaries AS SELECT code, sum(amount) AS amount FROM sightings GROUP BY code",
            "DROP VIEW summaries",
        ),
    ]
