"""The first version: an Author with a name, a Book of one author."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """As makemigrations wrote it."""

    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            "Author",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("nickname", models.CharField(max_length=40, unique=True, null=True)),
                ("born", models.DateField(null=True)),
            ],
            options={"db_table_comment": "Who writes, it's said"},
        ),
        migrations.CreateModel(
            "Shelf",
            [
                ("code", models.SlugField(primary_key=True, max_length=12, serialize=False)),
                ("place", models.PositiveIntegerField(db_comment="how far from the door, in metres")),
            ],
        ),
        migrations.CreateModel(
            "Book",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=100)),
                ("isbn", models.CharField(max_length=13)),
                ("price", models.FloatField(default=0)),
                ("facts", models.JSONField(default=dict)),
                ("remark", models.TextField(default="")),
                ("author", models.ForeignKey("library.Author", django.db.models.deletion.CASCADE)),
                (
                    "shelf",
                    models.ForeignKey("library.Shelf", django.db.models.deletion.SET_NULL, null=True, related_name="+"),
                ),
                ("readers", models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True)),
            ],
        ),
    ]
