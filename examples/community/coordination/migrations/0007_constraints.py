import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0014_audit_changes_index"),
        ("coordination", "0006_communications"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="acronym_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Lower("acronym"),
                output_field=models.CharField(max_length=20),
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="website",
            field=models.URLField(blank=True, max_length=300),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("acronym"),
                condition=models.Q(("acronym", ""), _negated=True),
                name="organization_unique_acronym",
            ),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("id")), _negated=True), name="organization_not_its_own_parent"
            ),
        ),
    ]
