import common.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0010_case_insensitive_collation"),
    ]

    operations = [
        migrations.AddField(
            model_name="staffteam",
            name="skills",
            field=common.fields.TagsField(blank=True, default=list),
        ),
        migrations.AlterField(
            model_name="staffteam",
            name="name",
            field=common.fields.CaseInsensitiveCharField(max_length=100),
        ),
        migrations.AddConstraint(
            model_name="staffteam",
            constraint=models.UniqueConstraint(fields=("name",), name="staff_team_unique_name"),
        ),
    ]
