from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("common", "0004_rules")]
    operations = [
        migrations.AddField(
            "CalendarResource", "cost_per_use", models.DecimalField(max_digits=10, decimal_places=2, null=True)
        ),
    ]
