from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE TABLE legacy_codes (code varchar(8) NOT NULL PRIMARY KEY, amount integer)",
            "DROP TABLE legacy_codes",
        )
    ]
