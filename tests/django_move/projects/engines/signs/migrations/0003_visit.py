from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("signs", "0002_index")]
    operations = [
        migrations.CreateModel(
            name="Visit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sign", models.ForeignKey(on_delete=models.CASCADE, to="signs.sign")),
            ],
        ),
    ]
