import django.db.models.expressions
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0014_audit_changes_index"),
        ("communities", "0007_leaders_and_hazards"),
    ]

    operations = [
        migrations.AddField(
            model_name="community",
            name="average_household",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.expressions.CombinedExpression(
                    django.db.models.functions.comparison.Cast("estimated_population", models.FloatField()),
                    "/",
                    django.db.models.functions.comparison.Cast("households", models.FloatField()),
                ),
                output_field=models.FloatField(),
            ),
        ),
        migrations.AddIndex(
            model_name="community",
            index=models.Index(fields=["proximity", "-estimated_population"], name="community_by_proximity"),
        ),
        migrations.AddIndex(
            model_name="community",
            index=models.Index(
                condition=models.Q(("is_deleted", False)), fields=["code"], name="community_living_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="community",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_deleted", False)), fields=("code",), name="community_unique_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="community",
            constraint=models.CheckConstraint(
                condition=models.Q(("households__isnull", True), ("households__gt", 0), _connector="OR"),
                name="community_households_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="community",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("poverty_percent__isnull", True), ("poverty_percent__range", (0, 100)), _connector="OR"
                ),
                name="community_poverty_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="communitylivelihood",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_main", True)), fields=("community",), name="livelihood_one_main"
            ),
        ),
    ]
