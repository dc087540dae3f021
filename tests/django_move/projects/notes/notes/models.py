"""Notes, tags, and comments on anything."""

import uuid

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Tag(models.Model):
    """A word; migrations make the first three."""

    word = models.CharField(max_length=20, unique=True)


class Note(models.Model):
    """What somebody wrote."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    writer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    tags = models.ManyToManyField(Tag)
    text = models.TextField(db_column="words")
    written = models.DateTimeField()
    stars = models.PositiveSmallIntegerField(default=0)
    facts = models.JSONField(default=dict)


class Comment(models.Model):
    """A word on anything."""

    about_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    about_id = models.CharField(max_length=40)
    about = GenericForeignKey("about_type", "about_id")
    text = models.CharField(max_length=100)


class Trace(models.Model):
    """What the signal writes."""

    what = models.CharField(max_length=200)
