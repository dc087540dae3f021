import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("project_central", "0002_budgets"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="total_cost",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.expressions.CombinedExpression(
                    models.F("labour_cost"), "+", models.F("material_cost")
                ),
                output_field=models.DecimalField(decimal_places=2, max_digits=13),
            ),
        ),
    ]
