from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial"), ("common", "0003_slugs")]
    operations = [
        migrations.RenameModel("Memo", "Note"),
        migrations.AlterModelTable("Note", "office_notes"),
        migrations.AlterField("Note", "text", models.TextField()),
        migrations.AddField(
            "Note", "booking", models.ForeignKey(null=True, on_delete=models.deletion.CASCADE, to="common.booking")
        ),
    ]
