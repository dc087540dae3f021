from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("mana", "0005_surveys"),
    ]

    operations = [
        migrations.RenameField(
            model_name="need",
            old_name="importance",
            new_name="priority_score",
        ),
    ]
