from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]
    operations = [
        migrations.RenameField("CalendarResource", "name", "title"),
        migrations.AlterField("CalendarResource", "title", models.CharField(max_length=120)),
        migrations.AddField("CalendarResource", "tags", models.ManyToManyField(to="common.tag")),
        migrations.AddField("CalendarResource", "details", models.JSONField(default=dict)),
        migrations.RenameModel("Reservation", "Booking"),
        migrations.RenameField("Booking", "fee", "price"),
        migrations.AlterField("Booking", "price", models.DecimalField(max_digits=8, decimal_places=2, default=0)),
    ]
