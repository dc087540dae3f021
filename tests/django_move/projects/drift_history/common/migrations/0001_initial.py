from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            "Tag",
            [
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("label", models.CharField(max_length=40, unique=True)),
            ],
        ),
        migrations.CreateModel(
            "CalendarResource",
            [
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField()),
                ("seats", models.IntegerField(default=1)),
                ("opens", models.TimeField(null=True)),
                ("obsolete", models.CharField(max_length=10, default="")),
                (
                    "owner",
                    models.ForeignKey(null=True, on_delete=models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
        migrations.CreateModel(
            "Reservation",
            [
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("starts", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("fee", models.FloatField(default=0)),
                ("resource", models.ForeignKey(on_delete=models.deletion.CASCADE, to="common.calendarresource")),
            ],
            options={"unique_together": {("resource", "starts")}},
        ),
    ]
