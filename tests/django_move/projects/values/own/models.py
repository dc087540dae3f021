"""Fields whose form in SQLite is another than in PostgreSQL; and two whose form is the same."""

from django.db import models

from store.fields import MaskField, SpanField, TagsField


class Walk(models.Model):
    lasts = SpanField(null=True)
    tags = TagsField(null=True)
    mask = MaskField(null=True)
    done = models.BooleanField(null=True)
