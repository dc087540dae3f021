"""Give the site its name."""

from django.db import migrations

DOMAIN = "community.example"


def add_site(apps, schema_editor):
    """Make the site, or rename the one that Django made."""
    sites = apps.get_model("sites", "Site").objects.using(schema_editor.connection.alias)
    site = sites.order_by("pk").first()
    if site is None:
        sites.create(domain=DOMAIN, name="Community management")
    else:
        sites.filter(pk=site.pk).update(domain=DOMAIN, name="Community management")


class Migration(migrations.Migration):
    dependencies = [("common", "0008_rename_booking"), ("sites", "0002_alter_domain_unique")]

    operations = [migrations.RunPython(add_site, migrations.RunPython.noop)]
