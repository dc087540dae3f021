from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mana", "0008_hours_to_durations"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="workshopactivity",
            name="duration_hours",
        ),
        migrations.AlterField(
            model_name="workshopactivity",
            name="duration",
            field=models.DurationField(),
        ),
    ]
