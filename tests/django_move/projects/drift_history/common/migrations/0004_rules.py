from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("common", "0003_slugs")]
    operations = [
        migrations.AddField("Booking", "remark", models.TextField(blank=True, default=""), preserve_default=False),
        migrations.AddConstraint(
            "Booking",
            models.CheckConstraint(condition=models.Q(price__gte=0), name="booking_price_not_negative"),
        ),
        migrations.AddConstraint(
            "Booking",
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="booking_ends_after_start"),
        ),
        migrations.AlterUniqueTogether("Booking", set()),
        migrations.AddConstraint(
            "Booking", models.UniqueConstraint(fields=["resource", "starts"], name="booking_once")
        ),
        migrations.AddConstraint(
            "Booking",
            models.UniqueConstraint(fields=["resource"], condition=models.Q(remark="fixed"), name="booking_one_fixed"),
        ),
        migrations.AddIndex("Booking", models.Index(fields=["starts", "ends"], name="booking_span")),
        migrations.RunSQL(
            "CREATE VIEW booking_totals AS SELECT resource_id, count(*) AS bookings FROM common_booking"
            " GROUP BY resource_id",
            "DROP VIEW booking_totals",
        ),
        migrations.AddField("CalendarResource", "active", models.BooleanField(default=True)),
    ]
