"""Write the audit log whenever a watched row is saved or deleted by the application."""

from django.apps import apps
from django.db.models.signals import post_delete, post_save

WATCHED = (
    "communities.Community",
    "coordination.Organization",
    "mana.Assessment",
    "monitoring.MonitoringEntry",
    "policy_tracking.PolicyRecommendation",
    "project_central.Project",
)


def connect():
    """Watch the models; once a process."""
    for label in WATCHED:
        post_save.connect(log_save, sender=label, dispatch_uid=f"audit save {label}")
        post_delete.connect(log_delete, sender=label, dispatch_uid=f"audit delete {label}")


def log_save(sender, instance, created, raw, **kwargs):  # noqa: ARG001 - the signature is Django's
    """Note that a row was made or changed. Fixtures (``raw``) bring their own log."""
    if not raw:
        _write_entry(sender, instance, "create" if created else "update")


def log_delete(sender, instance, **kwargs):  # noqa: ARG001 - the signature is Django's
    """Note that a row is gone."""
    _write_entry(sender, instance, "delete")


def _write_entry(sender, instance, action):
    """Add one row to the audit log."""
    content_type = apps.get_model("contenttypes.ContentType").objects.get_for_model(sender)
    changes = {"str": str(instance)}
    apps.get_model("common.AuditLog").objects.create(
        content_type=content_type, object_id=str(instance.pk), action=action, changes=changes
    )
