from django.db import migrations, models


def fill_slugs(apps, schema_editor):
    for resource in apps.get_model("common", "CalendarResource").objects.filter(slug=""):
        resource.slug = f"resource-{resource.pk}"
        resource.save(update_fields=["slug"])


class Migration(migrations.Migration):
    dependencies = [("common", "0002_tags_and_names")]
    operations = [
        migrations.RunPython(fill_slugs, migrations.RunPython.noop),
        migrations.AlterField("CalendarResource", "slug", models.SlugField(unique=True)),
        migrations.AlterField("CalendarResource", "seats", models.PositiveIntegerField(default=1)),
        migrations.RemoveField("CalendarResource", "obsolete"),
        migrations.AlterField(
            "Tag", "id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
        ),
        migrations.AlterField(
            "CalendarResource",
            "id",
            models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
        ),
        migrations.AlterField(
            "Booking",
            "id",
            models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
        ),
    ]
