from django.conf import settings
from django.db import migrations

on_postgresql = [
    migrations.RunSQL("CREATE INDEX signs_words ON signs_sign USING gin (words)", "DROP INDEX signs_words"),
]


class Migration(migrations.Migration):
    dependencies = [("signs", "0001_initial")]
    operations = on_postgresql if settings.ENGINE == "postgresql" else []
