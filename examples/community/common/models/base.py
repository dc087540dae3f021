"""What many models share."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class TimeStamped(models.Model):
    """When a row was made, and when it was last saved."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def save(self, **kwargs):
        """Save, and remember when."""
        self.updated_at = timezone.now()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "updated_at"}
        super().save(**kwargs)


class LivingManager(models.Manager):
    """Only the rows that nobody has deleted."""

    def get_queryset(self):
        """Hide the deleted."""
        return super().get_queryset().filter(is_deleted=False)


class SoftDeleted(models.Model):
    """Rows that are hidden instead of deleted: ``objects`` shows the living ones, ``all_objects`` every one."""

    is_deleted = models.BooleanField(default=False, db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = LivingManager()
    all_objects = models.Manager()  # noqa: DJ012 - a manager, which ruff takes for a field

    class Meta:
        abstract = True

    def hide(self):
        """Mark as deleted."""
        self.is_deleted = True
        self.deleted_at = timezone.now()
        self.save(update_fields=["is_deleted", "deleted_at"])


class HistoryRow(models.Model):
    """A copy of another model's row as it was at one time."""

    class Change(models.TextChoices):
        """What was done to the row."""

        CREATED = "+", "created"
        CHANGED = "~", "changed"
        DELETED = "-", "deleted"

    history_id = models.AutoField(primary_key=True)
    history_date = models.DateTimeField(db_index=True)
    history_change_reason = models.CharField(max_length=100, null=True)
    history_type = models.CharField(max_length=1, choices=Change)
    history_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        abstract = True
        ordering = ["-history_date", "-history_id"]
        get_latest_by = ["history_date", "history_id"]
