import django.db.models.deletion
from django.db import migrations, models

import common.fields


class Migration(migrations.Migration):
    dependencies = [
        ("project_central", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField()),
                ("ceiling", models.DecimalField(decimal_places=2, max_digits=14)),
                ("is_final", models.BooleanField(db_default=False)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="budgets",
                        to="project_central.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-year"],
            },
        ),
        migrations.CreateModel(
            name="BudgetLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20)),
                ("allotted", models.DecimalField(decimal_places=2, default=0, max_digits=12)),
                ("spent", models.DecimalField(decimal_places=2, default=0, max_digits=12)),
                ("rate", models.DecimalField(decimal_places=6, default=1, max_digits=10)),
                ("cents_left", common.fields.MoneyField(default=0)),
                (
                    "budget",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="project_central.budget"
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.UniqueConstraint(fields=("project", "year"), name="budget_once_a_year"),
        ),
        migrations.AlterUniqueTogether(
            name="budgetline",
            unique_together={("budget", "code")},
        ),
    ]
