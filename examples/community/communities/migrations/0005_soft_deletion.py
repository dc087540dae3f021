from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("communities", "0004_livelihoods_through"),
    ]

    operations = [
        migrations.RenameField(
            model_name="community",
            old_name="estimated_people",
            new_name="estimated_population",
        ),
        migrations.RenameField(
            model_name="communityhistory",
            old_name="estimated_people",
            new_name="estimated_population",
        ),
        migrations.AddField(
            model_name="community",
            name="deleted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="community",
            name="is_deleted",
            field=models.BooleanField(db_index=True, default=False),
        ),
        migrations.AddField(
            model_name="communitylivelihood",
            name="households",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="communitylivelihood",
            name="is_main",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="communitylivelihood",
            name="monthly_income",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True),
        ),
    ]
