from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("coordination", "0004_partnerships"),
    ]

    operations = [
        migrations.RenameModel(
            old_name="Contact",
            new_name="OrganizationContact",
        ),
    ]
