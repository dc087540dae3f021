"""The audit log that signals write."""

from django.core import serializers

from common.models import AuditLog
from coordination.models import Organization


def test_saving_and_deleting_are_logged():
    before = AuditLog.objects.count()
    organization = Organization.objects.create(name="Watched", kind="ngo")
    key = str(organization.pk)
    organization.save()
    organization.delete()
    written = AuditLog.objects.filter(object_id=key).order_by("at")
    assert [entry.action for entry in written] == ["create", "update", "delete"]
    assert AuditLog.objects.count() == before + 3


def test_bulk_rows_are_not_logged():
    before = AuditLog.objects.count()
    Organization.objects.bulk_create([Organization(name="Quiet", kind="ngo")])
    assert AuditLog.objects.count() == before


def test_fixtures_bring_their_own_log():
    before = AuditLog.objects.count()
    text = serializers.serialize("json", Organization.objects.all()[:1])
    for row in serializers.deserialize("json", text):
        row.save()
    assert AuditLog.objects.count() == before
