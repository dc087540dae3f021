from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0011_team_names"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterField(
            model_name="barangay",
            name="code",
            field=models.CharField(max_length=12, unique=True),
        ),
        migrations.AlterField(
            model_name="calendarresource",
            name="cost_per_use",
            field=models.DecimalField(decimal_places=2, default=0, max_digits=10),
        ),
        migrations.AlterField(
            model_name="municipality",
            name="code",
            field=models.CharField(max_length=12, unique=True),
        ),
        migrations.AlterField(
            model_name="province",
            name="code",
            field=models.CharField(max_length=12, unique=True),
        ),
        migrations.AlterField(
            model_name="region",
            name="code",
            field=models.CharField(max_length=12, unique=True),
        ),
        migrations.AddIndex(
            model_name="barangay",
            index=models.Index(fields=["municipality", "-population"], name="barangay_by_population"),
        ),
        migrations.AddIndex(
            model_name="barangay",
            index=models.Index(condition=models.Q(("is_urban", True)), fields=["name"], name="barangay_urban_name"),
        ),
        migrations.AddIndex(
            model_name="calendarbooking",
            index=models.Index(fields=["resource", "starts_at"], name="booking_resource_start"),
        ),
        migrations.AddIndex(
            model_name="stafftask",
            index=models.Index(
                models.OrderBy(models.F("due_on"), descending=True), models.F("status"), name="task_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="barangay",
            constraint=models.UniqueConstraint(fields=("municipality", "name"), name="barangay_unique_name"),
        ),
        migrations.AddConstraint(
            model_name="barangay",
            constraint=models.CheckConstraint(
                condition=models.Q(("elevation_m__isnull", True), ("elevation_m__gte", -100), _connector="OR"),
                name="barangay_elevation",
            ),
        ),
        migrations.AddConstraint(
            model_name="calendarbooking",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="booking_ends_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="stafftask",
            constraint=models.CheckConstraint(
                condition=models.Q(("progress_percent__lte", 100)), name="task_progress_percent"
            ),
        ),
        migrations.AddConstraint(
            model_name="staffteammembership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_on__isnull", True)), fields=("team", "user"), name="membership_once_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="staffteammembership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_on", None), ("role", "lead")), fields=("team",), name="membership_one_lead"
            ),
        ),
        migrations.AddConstraint(
            model_name="staffteammembership",
            constraint=models.CheckConstraint(
                condition=models.Q(("left_on__isnull", True), ("left_on__gte", models.F("joined_on")), _connector="OR"),
                name="membership_dates_in_order",
            ),
        ),
    ]
