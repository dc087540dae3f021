import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.models.people


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Municipality",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=10, unique=True)),
                ("name", models.CharField(db_index=True, max_length=120)),
                ("population", models.PositiveIntegerField(blank=True, null=True)),
                ("land_area_km2", models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("municipality", "municipality"),
                            ("component_city", "component city"),
                            ("independent_city", "independent city"),
                        ],
                        default="municipality",
                        max_length=20,
                    ),
                ),
                ("income_class", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("postal_code", models.CharField(blank=True, db_column="zip", max_length=10)),
            ],
            options={
                "verbose_name_plural": "municipalities",
                "ordering": ["province", "name"],
            },
        ),
        migrations.CreateModel(
            name="Province",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=10, unique=True)),
                ("name", models.CharField(db_index=True, max_length=120)),
                ("population", models.PositiveIntegerField(blank=True, null=True)),
                ("land_area_km2", models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("capital", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "ordering": ["region", "name"],
            },
        ),
        migrations.CreateModel(
            name="Region",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=10, unique=True)),
                ("name", models.CharField(db_index=True, max_length=120)),
                ("population", models.PositiveIntegerField(blank=True, null=True)),
                ("land_area_km2", models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("description", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("admin", "administrator"),
                            ("staff", "staff"),
                            ("leader", "community leader"),
                            ("partner", "partner organization"),
                        ],
                        default="leader",
                        max_length=20,
                    ),
                ),
                ("position", models.CharField(blank=True, max_length=150)),
                ("phone", models.CharField(blank=True, max_length=20, null=True)),
                ("is_approved", models.BooleanField(default=False)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("photo", models.FileField(blank=True, upload_to="photos/%Y/")),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="approvals",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "home_municipality",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="common.municipality"
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "ordering": ["username"],
                "permissions": [("approve_user", "Can approve the accounts of others")],
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="StaffUser",
            fields=[],
            options={
                "verbose_name": "staff user",
                "permissions": [("assign_staffuser", "Can assign staff to teams")],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("common.user",),
            managers=[
                ("objects", common.models.people.StaffUserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Barangay",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=10, unique=True)),
                ("name", models.CharField(db_index=True, max_length=120)),
                ("population", models.PositiveIntegerField(blank=True, null=True)),
                ("land_area_km2", models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("is_urban", models.BooleanField(default=False)),
                ("is_coastal", models.BooleanField(blank=True, help_text="Unknown where nobody has looked", null=True)),
                ("elevation_m", models.SmallIntegerField(blank=True, null=True)),
                (
                    "municipality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="barangays", to="common.municipality"
                    ),
                ),
            ],
            options={
                "ordering": ["municipality", "name"],
            },
        ),
        migrations.AddField(
            model_name="municipality",
            name="province",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="municipalities", to="common.province"
            ),
        ),
        migrations.AddField(
            model_name="province",
            name="region",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="provinces", to="common.region"
            ),
        ),
        migrations.AlterUniqueTogether(
            name="municipality",
            unique_together={("province", "name")},
        ),
        migrations.AlterUniqueTogether(
            name="province",
            unique_together={("region", "name")},
        ),
    ]
