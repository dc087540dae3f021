import django.db.models.functions.text
from django.db import migrations, models

import common.fields


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0010_bytewise_collation"),
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
            field=common.fields.BytewiseCharField(max_length=100),
        ),
        migrations.AddConstraint(
            model_name="staffteam",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="staff_team_unique_name"
            ),
        ),
    ]
