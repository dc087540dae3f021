"""Renames, changed columns and a data migration: SQLite makes the tables anew."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Upper


def fill(apps, schema_editor):
    """Put rows there, as data migrations do."""
    apps.get_model("library", "Shelf").objects.using(schema_editor.connection.alias).bulk_create(
        apps.get_model("library", "Shelf")(code=code, place=place) for place, code in enumerate(["a", "b", "it's"])
    )
    writers = apps.get_model("library", "Writer").objects.using(schema_editor.connection.alias)
    writers.create(full_name="Anonymous\nand \\others")


class Migration(migrations.Migration):
    """By hand."""

    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.RenameModel("Author", "Writer"),
        migrations.RenameField("Writer", "name", "full_name"),
        migrations.AlterField("Writer", "full_name", models.CharField(max_length=80, db_index=True)),
        migrations.AddIndex("Writer", models.Index(Upper("full_name"), name="writer_upper_name")),
        migrations.CreateModel(
            "Share",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("percent", models.PositiveSmallIntegerField(default=100)),
                ("book", models.ForeignKey("library.Book", django.db.models.deletion.CASCADE)),
                ("writer", models.ForeignKey("library.Writer", django.db.models.deletion.PROTECT)),
            ],
            options={"unique_together": {("book", "writer")}},
        ),
        migrations.RemoveField("Book", "author"),
        migrations.RemoveField("Book", "remark"),
        migrations.AddField("Book", "writers", models.ManyToManyField("library.Writer", through="library.Share")),
        migrations.AlterField("Book", "title", models.CharField(max_length=200)),
        migrations.AlterField("Book", "price", models.DecimalField(max_digits=9, decimal_places=2)),
        migrations.AddField("Book", "lent_from", models.IntegerField(default=0)),
        migrations.AddField("Book", "lent_to", models.IntegerField(default=0)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
