from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("common", "0002_tags_and_names")]
    operations = [
        migrations.CreateModel(
            "Memo",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            "Draft",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            "Archive",
            [("year", models.IntegerField(primary_key=True, serialize=False)), ("pages", models.TextField())],
            options={"managed": False, "db_table": "old_archive"},
        ),
    ]
