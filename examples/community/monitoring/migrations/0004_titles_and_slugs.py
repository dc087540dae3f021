from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0003_funding"),
    ]

    operations = [
        migrations.RenameField(
            model_name="monitoringentry",
            old_name="name",
            new_name="title",
        ),
        migrations.AddField(
            model_name="monitoringentry",
            name="slug",
            field=models.SlugField(blank=True, max_length=80),
        ),
    ]
