from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0007_seed_languages"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RenameModel(
            old_name="Booking",
            new_name="CalendarBooking",
        ),
        migrations.RenameField(
            model_name="calendarresource",
            old_name="price",
            new_name="cost_per_use",
        ),
    ]
