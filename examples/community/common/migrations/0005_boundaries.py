from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0004_seed_resource_kinds"),
    ]

    operations = [
        migrations.AddField(
            model_name="barangay",
            name="boundary_geojson",
            field=models.JSONField(blank=True, help_text="A GeoJSON geometry, WGS 84", null=True),
        ),
        migrations.AddField(
            model_name="barangay",
            name="bounding_box",
            field=models.JSONField(blank=True, help_text="[west, south, east, north]", null=True),
        ),
        migrations.AddField(
            model_name="barangay",
            name="center_coordinates",
            field=models.JSONField(blank=True, help_text="[longitude, latitude]", null=True),
        ),
        migrations.AddField(
            model_name="municipality",
            name="boundary_geojson",
            field=models.JSONField(blank=True, help_text="A GeoJSON geometry, WGS 84", null=True),
        ),
        migrations.AddField(
            model_name="municipality",
            name="bounding_box",
            field=models.JSONField(blank=True, help_text="[west, south, east, north]", null=True),
        ),
        migrations.AddField(
            model_name="municipality",
            name="center_coordinates",
            field=models.JSONField(blank=True, help_text="[longitude, latitude]", null=True),
        ),
        migrations.AddField(
            model_name="province",
            name="boundary_geojson",
            field=models.JSONField(blank=True, help_text="A GeoJSON geometry, WGS 84", null=True),
        ),
        migrations.AddField(
            model_name="province",
            name="bounding_box",
            field=models.JSONField(blank=True, help_text="[west, south, east, north]", null=True),
        ),
        migrations.AddField(
            model_name="province",
            name="center_coordinates",
            field=models.JSONField(blank=True, help_text="[longitude, latitude]", null=True),
        ),
        migrations.AddField(
            model_name="region",
            name="boundary_geojson",
            field=models.JSONField(blank=True, help_text="A GeoJSON geometry, WGS 84", null=True),
        ),
        migrations.AddField(
            model_name="region",
            name="bounding_box",
            field=models.JSONField(blank=True, help_text="[west, south, east, north]", null=True),
        ),
        migrations.AddField(
            model_name="region",
            name="center_coordinates",
            field=models.JSONField(blank=True, help_text="[longitude, latitude]", null=True),
        ),
    ]
