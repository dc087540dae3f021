from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("project_central", "0005_seed_schedules"),
    ]

    operations = [
        migrations.AlterField(
            model_name="project",
            name="name",
            field=models.CharField(db_column="name", max_length=200),
        ),
        migrations.RenameField(
            model_name="project",
            old_name="name",
            new_name="title",
        ),
    ]
