from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("municipal_profiles", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="municipalityprofile",
            name="aggregated",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="municipalityprofile",
            name="literacy_percent",
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=6, null=True),
        ),
    ]
