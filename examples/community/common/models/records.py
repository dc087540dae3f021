"""Logs, messages, attachments and settings."""

import uuid

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class AuditLog(models.Model):
    """What was done to which row, by whom."""

    class Action(models.TextChoices):
        """What was done."""

        CREATE = "create", "created"
        UPDATE = "update", "changed"
        DELETE = "delete", "deleted"
        VIEW = "view", "looked at"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    content_type = models.ForeignKey(ContentType, models.SET_NULL, null=True)
    object_id = models.CharField(max_length=64)
    target = GenericForeignKey("content_type", "object_id")
    action = models.CharField(max_length=10, choices=Action)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    changes = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, db_column="timestamp")

    class Meta:
        db_table = "audit_log"
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["content_type", "object_id"], name="audit_target"),
            models.Index(fields=["-at", "action"], name="audit_recent"),
        ]

    def __str__(self):
        return f"{self.get_action_display()} {self.object_id}"


class AccessLog(models.Model):
    """A request that somebody made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    ip_address = models.GenericIPAddressField(protocol="both")
    gateway_address = models.GenericIPAddressField(protocol="IPv4", null=True, blank=True)
    path = models.CharField(max_length=500)
    status_code = models.PositiveSmallIntegerField()
    took = models.DurationField()
    happened_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_log"
        ordering = ["happened_at", "id"]

    def __str__(self):
        return self.path


class ChatMessage(models.Model):
    """A question to the assistant, and its answer."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_messages")
    topic = models.CharField(max_length=60, blank=True)
    question = models.TextField()
    answer = models.TextField()
    confidence = models.FloatField(null=True, blank=True)
    entities = models.JSONField(default=list)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["sent_at", "id"]

    def __str__(self):
        return self.question[:60]


class Attachment(models.Model):
    """A file that belongs to any row with a numeric key."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    owner = GenericForeignKey("content_type", "object_id")
    file = models.FileField(upload_to="attachments/%Y/%m/", max_length=255)
    sha256 = models.BinaryField(max_length=32)
    thumbnail = models.BinaryField(null=True, blank=True, editable=True)
    size_bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=100, db_default="application/octet-stream")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["content_type", "object_id"], name="attachment_owner")]

    def __str__(self):
        return self.file.name


class Language(models.Model):
    """A language people speak; its code is the key. The rows come from a migration."""

    code = models.CharField(max_length=8, primary_key=True)
    name = models.CharField(max_length=80, unique=True)
    own_name = models.CharField(max_length=80, blank=True)
    speakers = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self):
        return self.name


class SiteSetting(models.Model):
    """A value that can be changed without a deployment."""

    key = models.SlugField(primary_key=True, max_length=60)
    value = models.JSONField()
    note = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "site settings"
        ordering = ["key"]

    def __str__(self):
        return self.key
