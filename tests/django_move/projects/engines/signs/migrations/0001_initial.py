from django.db import connection, migrations, models

from signs.models import make_words

on_sqlite = [
    migrations.CreateModel(
        name="Found",
        fields=[
            (
                "sign",
                models.OneToOneField(
                    db_column="rowid",
                    on_delete=models.CASCADE,
                    primary_key=True,
                    serialize=False,
                    to="signs.sign",
                ),
            ),
            ("text", models.TextField()),
        ],
        options={"db_table": "signs_found"},
    )
]


class Migration(migrations.Migration):
    initial = True
    dependencies = [("contenttypes", "0002_remove_content_type_name")]
    operations = [
        migrations.CreateModel(
            name="Sign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=40)),
                ("words", make_words()),
            ],
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("object_id", models.CharField(max_length=40)),
                (
                    "content_type",
                    models.ForeignKey(on_delete=models.CASCADE, to="contenttypes.contenttype"),
                ),
            ],
        ),
        *(on_sqlite if connection.vendor == "sqlite" else []),
    ]
